"""The weekly report and its archive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deploys import clock
from deploys.charts.figures import Figure
from deploys.domain.instants import parse_instant
from deploys.domain.wording import target
from deploys.models import Service, Team
from deploys.views.access import TeamRequest, team_page
from incidents.models import Incident
from incidents.views.completeness import incomplete
from reliability.addresses import change_url, incident_url, page_url, week_url
from reliability.charts.figures import (
    CAUSES,
    BudgetStep,
    CauseWeek,
    FailureWeek,
    Recovery,
    budget_burn_down,
    downtime_by_cause,
    failures_by_week,
    recovery_phases,
)
from reliability.charts.strip import week_strip
from reliability.charts.week import strip_of
from reliability.domain.intervals import Interval
from reliability.domain.verdicts import Word, headline, left_ratio, unit_of, verdict, week_word
from reliability.domain.weeks import DAY, monday_of, week_label, week_of
from reliability.models import ReportSnapshot
from reliability.queries import week as reads
from reliability.queries.knowledge import knowledge_now
from reliability.queries.reports import WeekPoint, last_weeks, report_as_of, report_now, team_zone, week_labelled
from reliability.views.tiles import (
    Compared,
    availability_tile,
    budget_tile,
    failures_tile,
    recovery_tile,
    self_inflicted_tile,
)

Context = dict[str, Any]  # what a template reads
Printed = Mapping[str, Any]  # Any: the printed report or a part of it

ARCHIVE_WEEKS = 14
#: A window that began earlier than this is computed from the whole log.
SHARED_SPAN = dt.timedelta(days=99)
WORD_STATES = {Word.MET: "ok", Word.AT_RISK: "warn", Word.MISSED: "missed", Word.NOT_JUDGED: "off"}
REASON_WORDS = {
    "fully_on": "fully on", "fully_off": "fully off", "expired": "expired", "unevaluated": "not checked any more", "unreferenced": "no code left",
}  # fmt: skip


def report_of(team: Team, window: Interval, now: dt.datetime) -> Printed:
    """The printed report of a window as of now."""
    if window.start > now - SHARED_SPAN:
        return report_now(team=team, window=window, now=now)
    return report_as_of(team=team, window=window, as_of=now)


def _window(team: Team, label: str, now: dt.datetime) -> Interval:
    """The week of a label; 404 for what is none, or lies ahead, or before the calendar's useful part."""
    try:
        window = week_labelled(team=team, label=label)
    except ValueError as error:
        raise Http404(str(error)) from error
    if window.start > now or window.start.year < 2000:
        raise Http404
    return window


@team_page()
@require_safe
def archive(request: TeamRequest) -> HttpResponse:
    """The last weeks with their words; the running one first."""
    team, now = request.team, clock.now()
    zone = team_zone(team)
    weeks = reads.recent_weeks(now=now, zone=zone, count=ARCHIVE_WEEKS)
    points = {point.label: point for point in last_weeks(team=team, now=now, count=ARCHIVE_WEEKS)}
    judged = reads.objectives_by_week(knowledge_now(team=team, now=now), [window for _, window in weeks], zone)
    stored: dict[str, list[ReportSnapshot]] = {}
    for snapshot in (
        ReportSnapshot.objects.filter(team=team, label__in=[label for label, _ in weeks])
        .defer("result")
        .order_by("number")
    ):
        stored.setdefault(snapshot.label, []).append(snapshot)
    rows = []
    for (label, window), objectives in zip(weeks, judged, strict=True):
        point, word = points[label], week_word(objectives)
        if (
            not point.availability["observed_seconds"]
            and not point.change_failure["deploys_count"]
            and not point.is_running
        ):
            continue
        rows.append({
            "label": label, "url": week_url(team, label), "window": window, "days": days_in_words(window, zone), "point": point,
            "word": word.value, "is": WORD_STATES[word], "snapshots": stored.get(label, []),
        })  # fmt: skip
    return render(request, "reliability/archive.html", {"rows": rows, "zone": team.zone, "now": now})


@team_page()
@require_safe
def week(request: TeamRequest, label: str) -> HttpResponse:
    """The report of one week: the snapshot that was closed last, else as of now."""
    team, now = request.team, clock.now()
    zone, window = team_zone(team), _window(request.team, label, now)
    snapshots = list(ReportSnapshot.objects.filter(team=team, label=label).order_by("number"))
    printed: Printed = snapshots[-1].result if snapshots else report_of(team, window, now)
    as_of = snapshots[-1].as_of_at if snapshots else now
    broken = reads.broken_in(team=team, window=window, now=min(now, window.end))
    undecided = [each for each in broken if each.suggested]
    points = reads.weeks_until(team=team, window=window, now=now, zone=zone)
    word, parts = verdict(printed, reads.worst_of(broken), len(undecided))
    strip, left_out = strip_of(
        team=team, window=window, zone=zone, now=now, incident_url=lambda each: incident_url(team, each)
    )
    objectives = printed["objectives"]
    chosen = headline(list(objectives.values()))
    chosen_key = next((key for key, each in objectives.items() if each is chosen), "")
    context = {
        "label": label, "window": window, "zone": team.zone, "days": days_in_words(window, zone), "now": now, "as_of": as_of,
        "is_running": now < window.end, "snapshots": snapshots, "number": label.partition("-W")[2].lstrip("0"),
        "before": _neighbour(team, window, zone, -1, now), "after": _neighbour(team, window, zone, 1, now), "archive_url": page_url("report-list", team.slug),
        "json_url": page_url("report-json", team.slug, label), "word": word.value, "word_is": WORD_STATES[word], "parts": parts,
        "tiles": _tiles(team, printed, chosen, chosen_key, points, window, now, broken, zone),
        "strip": week_strip(strip, figure_id="week-strip", title="What happened, and what caused it"), "strip_left_out": left_out,
        "broken": [_row(team, each) for each in broken if each.is_severe][:5],
        "folded": [_row(team, each) for each in [*[each for each in broken if each.is_severe][5:], *[each for each in broken if not each.is_severe]]],
        "undecided": [_row(team, each) for each in undecided],
        "figures": _figures(team, points, broken, window, zone, now, chosen_key, chosen),
        "objectives": [_objective(team, key, each) for key, each in sorted(objectives.items(), key=lambda item: left_ratio(item[1]))],
        "printed": printed, "total": printed["total"], "failed": _failed(team, printed), "flags": printed["flags"], "stale": [{**flag, "why": ", ".join(REASON_WORDS.get(each, each) for each in flag["reasons"])} for flag in printed["flags"]["stale"][:5]],
        "window_part": printed["window"],
        "incomplete": incomplete(
            slug=team.slug, services=list(Service.objects.filter(team=team)), begins_at=window.start, ends_at=window.end, zone=zone
        ),
    }  # fmt: skip
    return render(request, "reliability/report.html", context)


@team_page()
@require_safe
def week_json(request: TeamRequest, label: str) -> JsonResponse:
    """The numbers of the report as they are printed by the command."""
    team, now = request.team, clock.now()
    window = _window(team, label, now)
    snapshot = ReportSnapshot.objects.filter(team=team, label=label).order_by("-number").first()
    printed = snapshot.result if snapshot else report_of(team, window, now)
    response = JsonResponse(printed, json_dumps_params={"indent": 1, "sort_keys": True})
    response.headers["Content-Disposition"] = f'attachment; filename="{team.slug}-{label}.json"'
    return response


def days_in_words(window: Interval, zone: ZoneInfo) -> str:
    """`9–15 November 2026`, `28 December 2026 – 3 January 2027`."""
    first, last = window.start.astimezone(zone), (window.end - dt.timedelta(hours=1)).astimezone(zone)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%B %Y}"
    if first.year == last.year:
        return f"{first.day} {first:%B} – {last.day} {last:%B %Y}"
    return f"{first.day} {first:%B %Y} – {last.day} {last:%B %Y}"


def _neighbour(team: Team, window: Interval, zone: ZoneInfo, step: int, now: dt.datetime) -> Context | None:
    """The week before or after; the one after only once it has begun."""
    monday = monday_of(window.start, zone) + 7 * DAY * step
    if week_of(monday, zone).start > now:
        return None
    return {"label": week_label(monday), "url": week_url(team, week_label(monday))}


def _tiles(
    team: Team, printed: Printed, chosen: Printed | None, chosen_key: str, points: list[WeekPoint], window: Interval, now: dt.datetime,
    broken: list[reads.Broken], zone: ZoneInfo,
) -> list[Any]:  # fmt: skip
    """The row of figures; the four weeks before are one window of their own, not a mean of four."""
    monday = monday_of(window.start, zone)
    week_before = report_of(team, week_of(monday - 7 * DAY, zone), now)["total"]
    month = Interval(week_of(monday - 28 * DAY, zone).start, window.start)
    compared = Compared(week_before, report_of(team, month, now)["total"])
    total = printed["total"]
    whole = next(
        (each for each in printed["objectives"].values() if not each["service"] and each["sli"] == "time"), None
    )
    down = sum(1 for each in broken if each.incident.impact_class == "downtime")
    remaining = reads.remaining_by_week(knowledge_now(team=team, now=now), chosen_key, points, zone) if chosen else []
    return [
        availability_tile(total, whole, points, compared, down),
        budget_tile(chosen, remaining),
        failures_tile(total, points, compared),
        recovery_tile(total, points, compared),
        self_inflicted_tile(total, points, compared),
    ]


def _row(team: Team, broken: reads.Broken) -> Context:
    shown = broken.confirmed or broken.suggested
    return {
        "broken": broken, "incident": broken.incident, "url": incident_url(team, broken.incident), "lasted": broken.lasted,
        "is_open": broken.incident.restored_at is None, "services": ", ".join(broken.services),
        "cause_url": change_url(team, shown.change) if shown and shown.change else "", "probability": shown.probability if shown else None,
    }  # fmt: skip


def _objective(team: Team, key: str, printed: Printed) -> Context:
    unit = unit_of(printed)
    gone = printed["projected_exhaustion_at"] or printed["exhausted_at"]
    return {
        "key": key, "printed": printed, "name": printed["service"] or "the whole", "unit": unit, "budget": printed[f"budget_{unit}"],
        "remaining": printed[f"remaining_{unit}"], "spent": printed[f"report_spent_{unit}"], "share": printed[f"report_budget_{unit}"],
        "gone_at": parse_instant(gone) if gone else None, "is_gone": bool(printed["exhausted_at"]),
    }  # fmt: skip


def _failed(team: Team, printed: Printed) -> list[Context]:
    """Failed and suspected deploys as rows."""
    part = printed["total"]["change_failure"]
    failed = set(part["failed_deploy_ids"])
    rows = reads.deploys_by_ids(team=team, ids=[*part["failed_deploy_ids"], *part["suspected_deploy_ids"]])
    return [
        {
            "deploy": deploy, "url": change_url(team, deploy.change), "release": deploy.release or deploy.external_id,
            "is_failed": deploy.external_id in failed or str(deploy.change.public_id) in failed,
        }
        for deploy in rows
    ]  # fmt: skip


def _figures(
    team: Team, points: list[WeekPoint], broken: list[reads.Broken], window: Interval, zone: ZoneInfo, now: dt.datetime, key: str, chosen: Printed | None
) -> dict[str, Figure]:  # fmt: skip
    """The four figures below the tables."""
    restated = set(
        ReportSnapshot.objects.filter(team=team, number__gt=1, label__in=[point.label for point in points]).values_list(
            "label", flat=True
        )
    )
    figures = {
        "failures": failures_by_week(weeks=[_failure_week(team, point, restated) for point in points]),
        "causes": downtime_by_cause(
            weeks=[CauseWeek(point.label[5:], {cause: point.downtime_by_cause[f"{cause}_seconds"] for cause in CAUSES}, week_url(team, point.label)) for point in points]
        ),
        "recovery": recovery_phases(recoveries=[_recovery(team, each) for each in broken if each.is_severe]),
    }  # fmt: skip
    evaluation = reads.objective_at(knowledge_now(team=team, now=now), key, window, zone) if chosen else None
    if chosen is not None and evaluation is not None and evaluation.is_time:
        numbers = dict(
            Incident.objects.filter(
                team=team, external_id__in={each for step in reads.burn_down(evaluation) for each in step.incident_ids}
            ).values_list("external_id", "number")
        )
        steps = [
            BudgetStep(
                step.end,
                step.remaining_seconds,
                ", ".join(f"INC-{numbers[each]}" if each in numbers else each for each in step.incident_ids),
            )
            for step in reads.burn_down(evaluation)
        ]
        figures["budget"] = budget_burn_down(
            steps=steps, from_at=evaluation.period.start, to_at=evaluation.at, budget_seconds=chosen["budget_seconds"], zone=zone,
            name=chosen["service"] or "the whole", target=target(chosen["target_ratio"]),
        )  # fmt: skip
    return figures


def _failure_week(team: Team, point: WeekPoint, restated: set[str]) -> FailureWeek:
    part = point.change_failure
    return FailureWeek(
        point.label[5:], part["failed_count"], part["deploys_count"], part["interval_low_ratio"], part["interval_high_ratio"],
        part["suspected_count"], point.label in restated, week_url(team, point.label),
    )  # fmt: skip


def _recovery(team: Team, broken: reads.Broken) -> Recovery:
    incident, begin = broken.incident, broken.incident.begins_at

    def after(at: dt.datetime | None) -> float | None:
        return None if at is None or at < begin else (at - begin).total_seconds()

    detected = after(incident.detected_at) if incident.started_at is not None else None
    name = f"{incident.slug} {broken.services[0]}" if broken.services else incident.slug
    return Recovery(
        name,
        detected,
        after(incident.mitigated_at),
        broken.lasted.total_seconds(),
        incident_url(team, incident),
        incident.restored_at is None,
    )
