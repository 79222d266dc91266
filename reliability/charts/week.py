"""The week strip of a team, read from the tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from deploys.models import Change, Deploy, Policy, Service, Team, Tier
from incidents.models import Cause, Incident, Maintenance, MonitoringGap
from reliability.charts.strip import ChangeMark, Ground, IncidentBar, Strip
from reliability.domain.intervals import Interval
from reliability.queries.now import change_name
from reliability.queries.reports import incidents_in

#: More lanes than these are no picture any more; services in which something happened come first.
MOST_LANES, MOST_CHANGES, MOST_INCIDENTS = 12, 600, 200


def strip_of(*, team: Team, window: Interval, zone: ZoneInfo, now: dt.datetime) -> tuple[Strip, int]:
    """The strip of a window, and how many services it leaves out. About ten queries, whatever the number of rows."""
    services = list(
        Service.objects.filter(team=team).exclude(retired_at__lte=window.start).order_by("-is_critical", "name")
    )
    changes = _changes(team, window)
    incidents = list(_loaded(team, window)[:MOST_INCIDENTS])
    touched = {lane for change in changes for lane in _lanes(change)} | {_lane(incident) for incident in incidents}
    kept = sorted(services, key=lambda service: service.name not in touched)[:MOST_LANES]
    lanes = [service.name for service in services if service in kept]
    marks = [
        ChangeMark(f"{change.pk}/{lane}", lane, change.at, _kind(change), _mark_name(change))
        for change in changes for lane in (_lanes(change) or lanes) if lane in lanes
    ]  # fmt: skip
    by_change: dict[int, str] = {}
    for mark in marks:
        by_change.setdefault(int(mark.key.partition("/")[0]), mark.key)
    bars = [_bar(incident, by_change) for incident in incidents]
    shown_now = now if window.start < now < window.end else None
    strip = Strip(window.start, window.end, zone, lanes, marks, bars, _grounds(team, window, now, lanes), shown_now)
    return strip, len(services) - len(lanes)


def linked(strip: Strip, address: Callable[[int], str]) -> Strip:
    """The strip with an address at each incident, made of its number."""
    return replace(strip, incidents=[replace(bar, url=address(bar.number)) for bar in strip.incidents])


def _changes(team: Team, window: Interval) -> list[Change]:
    """Production changes that began in the window, oldest first; the newest ones if there are too many to draw."""
    rows = (
        Change.objects.filter(team=team, environment__tier=Tier.PRODUCTION, at__gte=window.start, at__lt=window.end)
        .select_related("deploy__release", "service", "flag_change__flag")
        .prefetch_related("flag_change__services")
        .order_by("-at", "-pk")[:MOST_CHANGES]
    )
    return list(rows)[::-1]


def _loaded(team: Team, window: Interval) -> QuerySet[Incident]:
    return incidents_in(team=team, window=window).prefetch_related(
        "causes__change__deploy__release", "causes__change__service", "causes__change__flag_change__flag"
    )


def _lanes(change: Change) -> list[str]:
    """The lanes a change is drawn in; none means every one (a flag that names no service)."""
    if change.kind == Change.Kind.DEPLOY:
        return [change.service.name] if change.service else []
    return [service.name for service in change.flag_change.services.all()]


def _kind(change: Change) -> str:
    """The sign: kinds derived for lists, where they are known; a deploy that is none of them is a deploy."""
    if change.kind == Change.Kind.FLAG:
        return "flag"
    kind = change.deploy.kind_listed or change.deploy.kind_stated
    if change.deploy.status == Deploy.Status.FAILURE and kind not in {"rollback", "hotfix"}:
        return "deploy"
    return kind if kind in {"hotfix", "rollback", "redeploy"} else "deploy"


def _mark_name(change: Change) -> str:
    name = change_name(change)
    return name.partition(" ")[2] if change.kind == Change.Kind.FLAG or change.service else name


def _lane(incident: Incident) -> str:
    services = list(incident.incident_services.all())
    return services[0].service.name if services else ""


def _bar(incident: Incident, by_change: dict[int, str]) -> IncidentBar:
    confirmed = [cause for cause in incident.causes.all() if cause.status == Cause.Status.CONFIRMED]
    links = [by_change[cause.change_id] for cause in confirmed if cause.change_id in by_change]
    return IncidentBar(
        label=incident.slug,
        lane=_lane(incident),
        impact_class=incident.impact_class.replace("_", "-"),
        began_at=incident.begins_at,
        ended_at=incident.restored_at,
        title=incident.title,
        caused_by=links,
        cause_words=cause_words(incident),
        number=incident.number,
    )


def cause_words(incident: Incident) -> str:
    """What an incident is laid at, in words: confirmed causes, else the likeliest suggestion, else that it is open."""
    causes = list(incident.causes.all())
    confirmed = [cause for cause in causes if cause.status == Cause.Status.CONFIRMED]
    if confirmed:
        return ", ".join(change_name(cause.change) if cause.change else cause.get_kind_display() for cause in confirmed)
    suggested = [cause for cause in causes if cause.status == Cause.Status.SUGGESTED and cause.change]
    return f"suspected: {change_name(suggested[0].change)}" if suggested and suggested[0].change else "not decided"


def _grounds(team: Team, window: Interval, now: dt.datetime, lanes: Sequence[str]) -> list[Ground]:
    """Announced maintenance and times in which nobody watched, those of all services once."""
    notice = Policy.objects.filter(team=team).values_list("maintenance_notice_seconds", flat=True).first()
    least = dt.timedelta(seconds=86_400 if notice is None else notice)
    slots = Maintenance.objects.filter(
        team=team, is_cancelled=False, environment__tier=Tier.PRODUCTION, starts_at__lt=window.end, ends_at__gt=window.start, announced_at__isnull=False
    ).prefetch_related("services")  # fmt: skip
    grounds = [
        Ground("maintenance", slot.starts_at, slot.ends_at, lane)
        for slot in slots if slot.announced_at and slot.starts_at - slot.announced_at >= least
        for lane in _ground_lanes(slot, lanes)
    ]  # fmt: skip
    gaps = MonitoringGap.objects.filter(team=team, starts_at__lt=window.end).filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=window.start)
    )
    for gap in gaps.prefetch_related("services"):
        end = min(gap.ends_at or now, now)
        grounds += [
            Ground("unknown", gap.starts_at, end, lane)
            for lane in _ground_lanes(gap, lanes)
            if end > max(gap.starts_at, window.start)
        ]
    return grounds


def _ground_lanes(span: Maintenance | MonitoringGap, lanes: Sequence[str]) -> list[str | None]:
    if span.is_for_all_services:
        return [None]
    return [service.name for service in span.services.all() if service.name in lanes]
