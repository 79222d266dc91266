"""Reports and their archive: the page of a period, its numbers as JSON and CSV."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deploys import clock
from deploys.models import Role, Service, Team
from deploys.views.access import TeamRequest, team_page
from incidents.views.completeness import incomplete
from reliability.addresses import Links, page_url, report_url
from reliability.charts.report import (
    WORD_STATES,
    Basis,
    basis_of,
    days_in_words,
)
from reliability.charts.report_page import report_context
from reliability.domain.periods import NotAPeriod, Period, PeriodKind, period_holding, period_labelled
from reliability.domain.restatement import leaves
from reliability.domain.verdicts import week_word
from reliability.models import ReportSnapshot
from reliability.queries import week as reads
from reliability.queries.knowledge import knowledge_now
from reliability.queries.reports import points_of, team_zone

Context = dict[str, Any]  # what a template reads
Printed = Mapping[str, Any]  # Any: a part of the printed report

ARCHIVED = {PeriodKind.WEEK: 14, PeriodKind.MONTH: 13, PeriodKind.QUARTER: 8}


def asked_period(team: Team, label: str, now: dt.datetime) -> Period:
    """The period of a label; 404 for what is none, or lies ahead, or before the calendar's useful part."""
    try:
        period = period_labelled(label, team_zone(team))
    except NotAPeriod as error:
        raise Http404(str(error)) from error
    if period.interval.start > now or period.interval.start.year < 2000:
        raise Http404
    return period


@team_page()
@require_safe
def archive(request: TeamRequest) -> HttpResponse:
    """The last periods of a kind with their words; the running one first."""
    team, now = request.team, clock.now()
    try:
        kind = PeriodKind(request.GET.get("kind", "week"))
    except ValueError as error:
        raise Http404 from error
    zone = team_zone(team)
    periods = period_holding(kind, now, zone).until(ARCHIVED[kind])[::-1]
    known = knowledge_now(team=team, now=now, since=periods[-1].interval.start)
    points = {point.label: point for point in points_of(known, periods)}
    judged = reads.objectives_by_period(known, [period.interval for period in periods], zone)
    stored: dict[str, list[ReportSnapshot]] = {}
    snapshots = ReportSnapshot.objects.filter(team=team, label__in=[period.label for period in periods])
    for snapshot in snapshots.defer("result", "beside").order_by("number"):
        stored.setdefault(snapshot.label, []).append(snapshot)
    rows = []
    for period, objectives in zip(periods, judged, strict=True):
        point, word = points[period.label], week_word(objectives)
        is_empty = not point.availability["observed_seconds"] and not point.change_failure["deploys_count"]
        if is_empty and not point.is_running:
            continue
        rows.append({
            "label": period.label, "url": report_url(team, period.label), "days": days_in_words(period.interval, zone), "point": point,
            "word": word.value, "is": WORD_STATES[word], "snapshots": stored.get(period.label, []),
        })  # fmt: skip
    kinds = [{"name": f"{each}s", "url": f"?kind={each}", "is_current": each is kind} for each in PeriodKind]
    context = {
        "rows": rows, "zone": team.zone, "now": now, "kind": kind, "kinds": kinds,
        "plan_url": page_url("report-plan", team.slug) if request.membership.role == Role.ADMIN else "", "mail_url": page_url("report-mail", team.slug), "badges_url": page_url("report-badges", team.slug),
    }  # fmt: skip
    return render(request, "reliability/archive.html", context)


@team_page()
@require_safe
def report(request: TeamRequest, label: str) -> HttpResponse:
    """The report of a period: the snapshot that was closed last, else as of now."""
    team, now = request.team, clock.now()
    period = asked_period(team, label, now)
    context = page_context(basis_of(team=team, period=period, now=now), Links(team))
    context |= {
        "before": _neighbour(team, period.moved(-1), now), "after": _neighbour(team, period.moved(1), now),
        "archive_url": f"{page_url('report-list', team.slug)}?kind={period.kind}",
        "json_url": page_url("report-json", team.slug, label), "csv_url": page_url("report-csv", team.slug, label),
        "pdf_url": page_url("report-pdf", team.slug, label), "share_url": page_url("report-share", team.slug, label),
    }  # fmt: skip
    return render(request, "reliability/report.html", context)


def page_context(basis: Basis, links: Links) -> Context:
    """What the template of a report reads. Missing data are told as known today, to readers with an account."""
    return report_context(basis, links) | {
        "incomplete": incomplete(
            slug=basis.team.slug, services=list(Service.objects.filter(team=basis.team)), begins_at=basis.window.start, ends_at=basis.window.end, zone=basis.zone
        ) if links.is_open else None,
    }  # fmt: skip


@team_page()
@require_safe
def report_json(request: TeamRequest, label: str) -> JsonResponse:
    """The numbers of the report as they are printed by the command."""
    team, now = request.team, clock.now()
    basis = basis_of(team=team, period=asked_period(team, label, now), now=now)
    response = JsonResponse(basis.printed, json_dumps_params={"indent": 1, "sort_keys": True})
    response.headers["Content-Disposition"] = f'attachment; filename="{team.slug}-{label}.json"'
    return response


@team_page()
@require_safe
def report_csv(request: TeamRequest, label: str) -> HttpResponse:
    """The same, one number a line: its path in the JSON, and its value, unrounded; what is undefined is empty."""
    team, now = request.team, clock.now()
    basis = basis_of(team=team, period=asked_period(team, label, now), now=now)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{team.slug}-{label}.csv"'
    rows = csv.writer(response)
    rows.writerow(["number", "value"])
    rows.writerows((_safe(path), _csv_value(value)) for path, value in leaves(basis.printed))
    return response


def _csv_value(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return _safe(" ".join(map(str, value)))
    return _safe(value) if isinstance(value, str) else value


def _safe(text: str) -> str:
    """Names come from outside: what a spreadsheet would take for a formula is told to be text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _neighbour(team: Team, period: Period, now: dt.datetime) -> Context | None:
    """The period before or after; the one after only once it has begun."""
    if period.interval.start > now:
        return None
    return {"label": period.label, "url": report_url(team, period.label)}
