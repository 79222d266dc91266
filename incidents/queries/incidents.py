"""Incidents in lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from deploys.models import Service, Team
from incidents.domain.cursors import Cursor
from incidents.models import Cause, Incident, IncidentService, Verdict
from incidents.queries.search import matching

PAGE = 50
STATES = ("open", "restored", "closed", "uncounted", "all")
CAUSES = ("confirmed", "suggested", "other", "undecided")


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """What a list is narrowed to; empty texts narrow nothing. `state` empty: everything that counts. [since, until) is when
    it began.
    """

    state: str = ""
    impact_class: str = ""
    service: Service | None = None
    cause: str = ""
    text: str = ""
    severity: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out that counts."""
        narrow = (self.impact_class, self.service, self.cause, self.text, self.severity, self.since, self.until)
        return self.state not in {"", "all"} or any(narrow)


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One page, newest first. `next_cursor` where there is more."""

    incidents: Sequence[Incident]
    next_cursor: Cursor | None


def incident_page(*, team: Team, wanted: IncidentFilter, after: Cursor | None = None, size: int = PAGE) -> IncidentPage:
    """The team's incidents after the cursor, with services and causes loaded. Five queries, whatever the number."""
    rows = with_services_and_causes(_narrowed(Incident.objects.filter(team=team).select_related("environment"), wanted))
    if after is not None:
        rows = rows.filter(Q(begins_at__lt=after.at) | Q(begins_at=after.at, pk__lt=after.key))
    found = list(rows.order_by("-begins_at", "-pk")[: size + 1])
    shown = found[:size]
    more = len(found) > size
    return IncidentPage(
        incidents=shown, next_cursor=Cursor(at=shown[-1].begins_at, key=shown[-1].pk) if more and shown else None
    )


def with_services_and_causes(rows: QuerySet[Incident]) -> QuerySet[Incident]:
    """The same rows with what a list says of them: two more queries.

    `no_change_probability` is that of the verdict in force where it is sure enough and names no change, else None.
    """
    latest = Verdict.objects.filter(incident=OuterRef("pk")).order_by("-number")
    sure = Verdict.objects.filter(
        pk=OuterRef("latest_verdict"), change=None, outcome__in=(Verdict.Outcome.LIKELY, Verdict.Outcome.PROBABLE)
    )
    rows = rows.annotate(latest_verdict=Subquery(latest.values("pk")[:1])).annotate(
        no_change_probability=Subquery(sure.values("probability")[:1])
    )
    causes = Cause.objects.select_related(
        "change__deploy__release", "change__service", "change__flag_change__flag"
    ).order_by("id")
    return rows.prefetch_related(
        Prefetch("incident_services", IncidentService.objects.select_related("service")), Prefetch("causes", causes)
    )


def _narrowed(rows: QuerySet[Incident], wanted: IncidentFilter) -> QuerySet[Incident]:
    rows = _in_state(rows, wanted.state)
    if wanted.impact_class:
        rows = rows.filter(impact_class=wanted.impact_class)
    if wanted.service is not None:
        rows = rows.filter(Exists(IncidentService.objects.filter(incident=OuterRef("pk"), service=wanted.service)))
    if wanted.cause:
        rows = _with_cause(rows, wanted.cause)
    if wanted.since is not None:
        rows = rows.filter(begins_at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(begins_at__lt=wanted.until)
    if wanted.severity:
        rows = rows.filter(severity=wanted.severity)
    if wanted.text:
        rows = matching(rows, wanted.text)
    return rows


def _in_state(rows: QuerySet[Incident], state: str) -> QuerySet[Incident]:
    uncounted = Q(is_dismissed=True) | Q(duplicate_of__isnull=False)
    match state:
        case "all":
            return rows
        case "uncounted":
            return rows.filter(uncounted)
        case "open":
            return rows.exclude(uncounted).filter(restored_at__isnull=True)
        case "restored":
            return rows.exclude(uncounted).filter(restored_at__isnull=False, closed_at__isnull=True)
        case "closed":
            return rows.exclude(uncounted).filter(closed_at__isnull=False)
        case _:
            return rows.exclude(uncounted)


def _with_cause(rows: QuerySet[Incident], state: str) -> QuerySet[Incident]:
    links = Cause.objects.filter(incident=OuterRef("pk"))
    ours = Exists(links.filter(status=Cause.Status.CONFIRMED, kind__in=("deploy", "flag")))
    other = Exists(links.filter(status=Cause.Status.CONFIRMED).exclude(kind__in=("deploy", "flag")))
    suggested = Exists(links.filter(status=Cause.Status.SUGGESTED))
    match state:
        case "confirmed":
            return rows.filter(ours)
        case "other":
            return rows.filter(other)
        case "suggested":
            return rows.filter(suggested).exclude(ours).exclude(other)
        case _:
            return rows.exclude(ours).exclude(other).exclude(suggested)
