"""The numbers of a team for pages: the printed report of a window, series of weeks, what happened in a window.

All of them come from the same calculation as `manage.py metrics`; nothing is added up here. With the clock's now as
`now`, knowledge is shared between calls, so that a page may call several of these for the price of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from deploys.models import Team
from incidents.models import Incident
from reliability.domain import dora, recovery
from reliability.domain.contract import Report, availability_part, contract, downtime_by_cause
from reliability.domain.dora import Scope
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.periods import Period, PeriodKind, period_holding, period_labelled
from reliability.domain.slo import Evaluation
from reliability.domain.weeks import zone_named
from reliability.models import ReportSnapshot
from reliability.queries.knowledge import FRESH, LONGEST_PERIOD, knowledge_as_of, knowledge_now

Printed = dict[str, Any]  # Any: a JSON tree, described by the metrics contract


@dataclass(frozen=True, slots=True)
class WeekPoint:
    """One week (month, quarter) of a series. Parts are those of the printed report, of its elapsed part; ratios may be None.

    is_running: it has not ended.
    """

    label: str
    from_at: datetime
    to_at: datetime
    is_running: bool
    availability: Printed
    downtime_by_cause: Printed
    deployment_frequency: Printed
    change_failure: Printed
    failed_deployment_recovery: Printed
    issues: Printed


def team_zone(team: Team) -> ZoneInfo:
    """The zone of the team's reports."""
    return zone_named(team.zone)


def week_holding(*, team: Team, at: datetime) -> tuple[str, Interval]:
    """Label (2026-W13) and instants of the ISO week that holds the instant, in the team's zone."""
    period = period_holding(PeriodKind.WEEK, at, team_zone(team))
    return period.label, period.interval


def week_labelled(*, team: Team, label: str) -> Interval:
    """The instants of the week that a label (2026-W13) names; ValueError for what is no such week."""
    period = period_labelled(label, team_zone(team))
    if period.kind is not PeriodKind.WEEK:
        raise ValueError(f"expected an ISO week such as 2026-W13, got {label!r}")
    return period.interval


def report_now(*, team: Team, window: Interval, now: datetime) -> Printed:
    """The printed report of a window, as of now, in the team's zone. For windows that begin in the last 100 days."""
    known = knowledge_now(team=team, now=now, since=window.start)
    return contract(Report(known, window, team_zone(team)))


def report_as_of(
    *,
    team: Team,
    window: Interval,
    as_of: datetime,
    zone: ZoneInfo | None = None,
    received_by: datetime | None = None,
) -> Printed:
    """The printed report of any window, as it was known at the instant. Reads what it needs of a long log.

    received_by: see knowledge_as_of.
    """
    traffic_from = window.start - LONGEST_PERIOD
    known = knowledge_as_of(team=team, as_of=as_of, span=window, traffic_from=traffic_from, received_by=received_by)
    return contract(Report(known, window, zone or team_zone(team)))


def last_weeks(*, team: Team, now: datetime, count: int = 12, service: str | None = None) -> list[WeekPoint]:
    """The last weeks of the whole, or of one service, oldest first; the last one is running.

    A service nobody knows has no weeks.
    """
    zone = team_zone(team)
    periods = period_holding(PeriodKind.WEEK, now, zone).until(count)
    known = knowledge_now(team=team, now=now, since=periods[0].interval.start)
    if service is not None and service not in known.history.services:
        return []
    return [_point(known, period, service) for period in periods]


def points_of(known: Knowledge, periods: Sequence[Period]) -> list[WeekPoint]:
    """The whole in each of these periods. No query."""
    return [_point(known, period, None) for period in periods]


def objectives_now(*, team: Team, now: datetime) -> dict[str, Printed]:
    """Every objective evaluated now, by id; the report window in it is the running week."""
    zone = team_zone(team)
    known = knowledge_now(team=team, now=now, since=period_holding(PeriodKind.WEEK, now - FRESH, zone).interval.start)
    at = known.history.as_of
    window = period_holding(PeriodKind.WEEK, at, zone).interval
    return {item.id: Evaluation(known, item, window, at, zone).printed() for item in known.history.objectives}


def incidents_in(*, team: Team, window: Interval) -> QuerySet[Incident]:
    """Incidents that went on during the window, newest first, with services, causes and remedies prefetched.

    Dismissed ones and duplicates are left out.
    """
    return (
        Incident.objects.filter(team=team, is_dismissed=False, duplicate_of=None, duplicate_of_reference="")
        .filter(begins_at__lt=window.end)
        .filter(Q(restored_at__isnull=True) | Q(restored_at__gt=window.start) | Q(begins_at__gte=window.start))
        .select_related("environment", "lead")
        .prefetch_related("incident_services__service", "causes__change", "remedies__change")
        .order_by("-begins_at", "-id")
    )


def _point(known: Knowledge, period: Period, service: str | None) -> WeekPoint:
    window = period.interval
    scope = Scope(service, Report(known, window, period.zone).elapsed)
    return WeekPoint(
        label=period.label,
        from_at=window.start,
        to_at=window.end,
        is_running=known.history.as_of < window.end,
        availability=availability_part(known, scope),
        downtime_by_cause=downtime_by_cause(known, scope),
        deployment_frequency=dora.deployment_frequency(known, scope, period.zone),
        change_failure=dora.change_failure(known, scope),
        failed_deployment_recovery=recovery.failed_deployment_recovery(known, scope).printed(),
        issues=dora.issues(known, scope),
    )


def snapshots_of(*, team: Team, label: str) -> list[ReportSnapshot]:
    """The closed reports of a period, in order of their numbers; none while it has not been closed.

    Only the one that stands is read whole; the others read their numbers when they are asked for them. Two queries.
    """
    rows = ReportSnapshot.objects.filter(team=team, label=label)
    found = list(rows.defer("result", "beside", "difference").order_by("number"))
    return found and [*found[:-1], rows.get(pk=found[-1].pk)]


def last_number(*, team: Team, label: str) -> int:
    """The number of the snapshot that stands; 0 while the period is not closed. One query."""
    numbers = ReportSnapshot.objects.filter(team=team, label=label).order_by("-number").values_list("number", flat=True)
    return numbers.first() or 0


def closed_since(*, team: Team, since: datetime) -> list[ReportSnapshot]:
    """The standing snapshot of each period that ended after an instant, newest first, without the numbers in it."""
    newer = ReportSnapshot.objects.filter(team=OuterRef("team"), label=OuterRef("label"), number__gt=OuterRef("number"))
    rows = ReportSnapshot.objects.filter(~Exists(newer), team=team, to_at__gt=since)
    return list(rows.defer("result", "beside", "difference").order_by("-from_at", "to_at"))
