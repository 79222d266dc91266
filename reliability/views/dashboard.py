"""Now: what is open, what is running, what burns; the last seven days; services by budget; links to decide."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from deploys import clock
from deploys.domain import wording
from deploys.models import Service, Team
from deploys.views.access import TeamRequest, team_page
from incidents.models import Cause, Incident
from incidents.views.completeness import incomplete
from reliability.addresses import Links, change_url, incident_url, page_url, service_url
from reliability.charts.strip import week_strip
from reliability.charts.week import linked, strip_of
from reliability.domain.intervals import Interval
from reliability.domain.spending import worst_classes
from reliability.domain.weeks import DAY, local_date, midnight
from reliability.queries import now as reads
from reliability.queries.knowledge import knowledge_now
from reliability.queries.reports import objectives_now, team_zone, week_holding

Context = dict[str, Any]  # what a template reads


@team_page()
@require_safe
def dashboard(request: TeamRequest) -> HttpResponse:
    """The page. Numbers of budgets and days come from one shared calculation, whatever the number of services."""
    team, now = request.team, clock.now()
    zone = team_zone(team)
    today = local_date(now, zone)
    window = Interval(midnight(today - 6 * DAY, zone), midnight(today + DAY, zone))
    strip, left_out = strip_of(team=team, window=window, zone=zone, now=now)
    objectives = objectives_now(team=team, now=now)
    context = {
        "now": now, "week": week_holding(team=team, at=now)[0], "zone": team.zone, "last_heard_at": _last_heard_at(team),
        "band": _band(team, now, objectives),
        "strip": week_strip(linked(strip, Links(team).incident), title="The last seven days"), "strip_left_out": left_out,
        "lines": _service_lines(team, now, objectives),
        "incomplete": incomplete(
            slug=team.slug, services=list(Service.objects.filter(team=team)), begins_at=window.start, ends_at=window.end, zone=zone
        ),
        "decisions": [_decision(team, incident) for incident in reads.undecided_incidents(team=team, now=now)],
        "declare_url": page_url("incident-declare", team.slug), "start_url": page_url("start-service", team.slug),
        "services_url": page_url("service-list", team.slug), "report_url": page_url("report-list", team.slug),
    }  # fmt: skip
    return render(request, "reliability/dashboard.html", context)


@team_page()
@require_safe
def band(request: TeamRequest) -> HttpResponse:
    """The now band alone, which the page asks for every fifteen seconds."""
    now = clock.now()
    objectives = objectives_now(team=request.team, now=now)
    return render(request, "reliability/_now.html", {"band": _band(request.team, now, objectives), "now": now})


def _last_heard_at(team: Team) -> dt.datetime | None:
    """When the last error or session came, from any service."""
    heard = (
        Service.objects.filter(team=team, last_event_at__isnull=False)
        .order_by("-last_event_at")
        .values_list("last_event_at", flat=True)
    )
    return heard.first()


def _band(team: Team, now: dt.datetime, objectives: dict[str, Any]) -> Context:  # Any: the printed objectives
    incidents = reads.open_incidents(team=team)
    running, running_count = reads.running_deploys(team=team, now=now)
    burning = _burning(team, objectives, now)
    return {
        "url": page_url("dashboard-now", team.slug),
        "incidents": [_open_incident(team, incident, now) for incident in incidents[:3]],
        "incident_count": len(incidents), "more_incidents": max(0, len(incidents) - 3),
        "incidents_url": page_url("incident-list", team.slug), "deploys_url": page_url("deploy-list", team.slug),
        "worst": incidents[0].impact_class.replace("_", "-") if incidents else "",
        "running": [_running(team, each) for each in running], "running_count": running_count,
        "burning": burning, "objective_count": len(objectives),
        "is_quiet": not incidents and not running and not burning,
        "last_restored_at": None if incidents else reads.last_restored_at(team=team),
    }  # fmt: skip


def _open_incident(team: Team, incident: Incident, now: dt.datetime) -> Context:
    names = [each.service.name for each in incident.incident_services.all()]
    causes = [cause for cause in incident.causes.all() if cause.status != Cause.Status.REJECTED]
    confirmed = [cause for cause in causes if cause.status == Cause.Status.CONFIRMED]
    cause = next(iter(confirmed or causes), None)
    return {
        "incident": incident, "url": incident_url(team, incident), "services": wording.listed(names),
        "length": now - incident.begins_at, "is_down": incident.impact_class == "downtime",
        "cause": cause, "cause_name": (reads.change_name(cause.change) if cause.change else cause.get_kind_display()) if cause else "",
        "cause_url": change_url(team, cause.change) if cause and cause.change else "",
    }  # fmt: skip


def _running(team: Team, running: reads.RunningDeploy) -> Context:
    deploy = running.deploy
    version = deploy.release.version if deploy.release else deploy.external_id
    share = None if running.usual is None else min(0.97, running.elapsed / running.usual) if running.usual else 0.97
    return {
        "name": f"{deploy.service.name} {version}", "url": change_url(team, deploy.change), "elapsed": running.elapsed,
        "percent": deploy.percent, "usual": running.usual, "usual_count": running.usual_count, "share": share,
        "is_slow": running.usual is not None and running.elapsed > 2 * running.usual,
    }  # fmt: skip


_SPANS = {3_600: "the last hour", 21_600: "the last 6 hours", 86_400: "the last day", 259_200: "the last 3 days"}


def _burning(team: Team, objectives: dict[str, Any], now: dt.datetime) -> list[Context]:  # Any: the printed objectives
    """Objectives of which a burn-rate rule fires, the fastest first, each by its fastest rule."""
    services = {service.name: service for service in Service.objects.filter(team=team)} if objectives else {}
    found = []
    for key, objective in objectives.items():
        firing = [alert for alert in objective["alerts"].values() if alert["firing"]]
        if not firing:
            continue
        alert = max(firing, key=lambda each: each["long_burn_rate"])
        service = services.get(objective["service"] or "")
        found.append({
            "key": key, "name": objective["service"] or "the whole", "target": objective["target_ratio"], "sli": objective["sli"],
            "url": service_url(team, service) if service else "", "rate": alert["long_burn_rate"],
            "span": _SPANS.get(int(alert["long_seconds"]), f"the last {wording.duration(alert['long_seconds'])}"),
            "gone_at": _gone_at(objective, alert["long_burn_rate"], now), **_budget(objective),
        })  # fmt: skip
    return sorted(found, key=lambda each: -each["rate"])[:3]


def _budget(objective: dict[str, Any]) -> Context:  # Any: a printed objective
    """Budget and remainder in the unit of the objective."""
    unit = "seconds" if objective["sli"] == "time" else "requests"
    return {"unit": unit, "budget": objective[f"budget_{unit}"], "remaining": objective[f"remaining_{unit}"]}


def _gone_at(
    objective: dict[str, Any], rate: float, now: dt.datetime
) -> dt.datetime | None:  # Any: a printed objective
    """When a budget of time is spent if it goes on like now: at burn rate r, 1 − target of each second × r is spent."""
    left = objective.get("remaining_seconds")
    pace = rate * (1 - objective["target_ratio"])
    return None if left is None or left <= 0 or pace <= 0 else now + dt.timedelta(seconds=left / pace)


def _service_lines(team: Team, now: dt.datetime, objectives: dict[str, Any]) -> list[Context]:  # Any: as above
    """Services with their tightest objective, least budget first, those without objective last."""
    tightest: dict[str, dict[str, Any]] = {}
    for objective in objectives.values():
        name = objective["service"]
        if name and (name not in tightest or _left_share(objective) < _left_share(tightest[name])):
            tightest[name] = objective
    known, zone = knowledge_now(team=team, now=now), team_zone(team)
    lines = []
    for each in reads.service_lines(team=team, now=now):
        objective = tightest.get(each.service.name)
        lines.append({
            "service": each.service, "url": service_url(team, each.service), "objective": objective,
            "days": [impact or "" for impact in worst_classes(known, each.service.name, zone, 28)],
            "live": each.live, "live_url": change_url(team, each.live.change) if each.live else "", "last": each.last,
            "last_url": change_url(team, each.last.change) if each.last else "",
            "share": 2.0 if objective is None else _left_share(objective),
            **(_budget(objective) if objective else {}),
        })  # fmt: skip
    return sorted(lines, key=lambda line: (line["share"], line["service"].name))


def _left_share(objective: dict[str, Any]) -> float:  # Any: a printed objective
    budget = _budget(objective)
    return 1.0 if not budget["budget"] else budget["remaining"] / budget["budget"]


def _decision(team: Team, incident: Incident) -> Context:
    suggested = [cause for cause in incident.causes.all() if cause.status == Cause.Status.SUGGESTED]
    first = suggested[0]
    return {
        "incident": incident, "url": incident_url(team, incident), "cause": first,
        "name": reads.change_name(first.change) if first.change else first.get_kind_display(),
        "cause_url": change_url(team, first.change) if first.change else "",
        "before": incident.begins_at - first.change.at if first.change else None,
        "next": next((reads.change_name(cause.change) for cause in suggested[1:] if cause.change), ""),
        "began_at": timezone.localtime(incident.begins_at),
    }  # fmt: skip
