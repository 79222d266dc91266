"""Everything the page of one incident shows, in a fixed number of queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, Q

from deploys.models import Change, Dependency, Service, Team
from incidents.models import (
    Candidate,
    Cause,
    EvidenceLine,
    ImpactSpell,
    Incident,
    IncidentIssue,
    Remedy,
    RoleHolder,
    TimelineEntry,
    Verdict,
)
from incidents.queries.touched_code import TouchedCode, accused, touched_code

CHANGES_BEFORE = dt.timedelta(hours=72)
NEARBY_BEFORE = dt.timedelta(hours=6)
NEARBY_AFTER = dt.timedelta(hours=1)
MOST_CHANGES = 40
MOST_ENTRIES = 500
SHOWN_CANDIDATES = 4
_LOADED = ("deploy__release", "service", "flag_change__flag")


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """One incident with all that stands around it."""

    incident: Incident
    services: Sequence[Service]
    spells: Sequence[ImpactSpell]
    causes: Sequence[Cause]
    remedies: Sequence[Remedy]
    entries: Sequence[TimelineEntry]
    links: Sequence[IncidentIssue]
    verdict: Verdict | None
    candidates: Sequence[Candidate]
    nearby: Sequence[Change]
    duplicates: Sequence[Incident]
    verdicts: Sequence[Verdict]
    code: TouchedCode | None
    role_holders: Sequence[RoleHolder]

    @property
    def accused(self) -> Change | None:
        """The confirmed cause, else the change the verdict names."""
        return accused(self.verdict, self.causes)


def incident_numbered(*, team: Team, number: int) -> Incident:
    """The team's incident of this number. Raises Incident.DoesNotExist."""
    return Incident.objects.select_related("team", "environment", "lead", "duplicate_of", "retrospective").get(
        team=team, number=number
    )


def incident_detail(incident: Incident, *, now: dt.datetime) -> IncidentDetail:
    """The incident with its surroundings; about a dozen queries, whatever the number of rows."""
    services = [each.service for each in incident.incident_services.select_related("service")]
    verdicts = verdict_log(incident)
    verdict = verdicts[0] if verdicts else None
    causes = list(incident.causes.select_related(*(f"change__{each}" for each in _LOADED)).order_by("id"))
    return IncidentDetail(
        incident=incident,
        services=services,
        spells=list(incident.impact_spells.order_by("from_at")),
        causes=causes,
        remedies=list(incident.remedies.select_related(*(f"change__{each}" for each in _LOADED)).order_by("id")),
        entries=list(
            incident.timeline.select_related("actor", *(f"change__{each}" for each in _LOADED)).order_by("-at", "-id")[
                :MOST_ENTRIES
            ]
        ),
        links=list(incident.incident_issues.select_related("issue__service").order_by("-issue__events_count")[:20]),
        verdict=verdict,
        candidates=candidates_shown(verdict) if verdict else [],
        nearby=nearby_changes(incident, [service.pk for service in services], now=now),
        duplicates=list(incident.duplicates.order_by("number")[:20]),
        verdicts=verdicts,
        code=touched_code(incident, accused(verdict, causes)),
        role_holders=list(incident.role_holders.select_related("person")),
    )


def verdict_log(incident: Incident, *, most: int = 30) -> list[Verdict]:
    """The verdicts on an incident, the one in force first, with what each names. One query."""
    rows = incident.verdicts.select_related(*(f"change__{each}" for each in _LOADED))
    return list(rows.order_by("-number")[:most])


def candidates_shown(verdict: Verdict) -> list[Candidate]:
    """The likeliest candidates, and "no change" wherever it ranks; each with its evidence. Two queries."""
    rows = (
        verdict.candidates.filter(Q(rank__lte=SHOWN_CANDIDATES) | Q(change__isnull=True))
        .select_related(*(f"change__{each}" for each in _LOADED))
        .prefetch_related(Prefetch("evidence", EvidenceLine.objects.order_by("position")))
        .order_by("rank")
    )
    return list(rows)


def nearby_changes(incident: Incident, services: Collection[int], *, now: dt.datetime) -> list[Change]:
    """Changes from six hours before the impact to an hour after it: of its services, of what those call, and of flags.

    The nearest before the end, at most forty. Two queries.
    """
    called = Dependency.objects.filter(service__in=services).values_list("depends_on", flat=True)
    ended_at = incident.restored_at or now
    around = Change.objects.filter(
        Q(service__in=[*services, *called]) | Q(kind=Change.Kind.FLAG),
        team=incident.team_id,
        environment=incident.environment_id,
        at__gte=incident.begins_at - NEARBY_BEFORE,
        at__lte=ended_at + NEARBY_AFTER,
    )
    return list(around.select_related(*_LOADED).order_by("-at", "-pk")[:MOST_CHANGES])


def changes_to_choose(incident: Incident, *, now: dt.datetime, text: str = "") -> list[Change]:
    """Changes a person may name as the cause: the three days before the impact and since, newest first, at most 100.

    `text` narrows by service, release or flag.
    """
    rows = Change.objects.filter(
        team=incident.team_id, at__gte=incident.begins_at - CHANGES_BEFORE, at__lte=incident.restored_at or now
    )
    if text:
        rows = rows.filter(
            Q(service__name__icontains=text)
            | Q(deploy__release__version__icontains=text)
            | Q(flag_change__flag__key__icontains=text)
        )
    return list(rows.select_related(*_LOADED).order_by("-at", "-pk")[:100])
