"""Two incidents that are one, and one that is two."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import transaction

from deploys.domain.instants import instant_text
from deploys.models import User
from incidents.actions.declare import declare
from incidents.actions.response import spell_payload
from incidents.actions.states import StateRefused, mark_duplicate
from incidents.actions.telling import Line, announce, locked, tell, write_lines
from incidents.domain.impact_spells import joined_spells, spells_told
from incidents.domain.incident_record import Spell
from incidents.models import AT_ONCE, Episode, ImpactClass, Incident, IncidentIssue, TimelineEntry

STATE = TimelineEntry.Kind.STATE


def repeat(*, incident: Incident, into: Incident, by: User, now: dt.datetime) -> Incident:
    """`incident` repeats `into` and counts nowhere; `into` stays as it is. Raises StateRefused."""
    return mark_duplicate(incident=incident, of=into, by=by, now=now)


@transaction.atomic
def merge(*, incident: Incident, into: Incident, by: User, now: dt.datetime) -> Incident:
    """`incident` repeats `into`, which takes over its services, times, issues and symptoms. Raises StateRefused.

    The clocks of `into` move only outward: it began when the first of the two did, and is over when both are.
    """
    repeated = mark_duplicate(incident=incident, of=into, by=by, now=now)
    into = locked(into)
    payload = _outward(into, repeated)
    line = Line(kind=STATE, data={"state": "merged", "number": repeated.number})
    into = tell(incident=into, payload=payload, by=by, now=now, lines=[line])
    moved = repeated.incident_issues.exclude(issue__in=into.incident_issues.values("issue"))
    moved.update(incident=into)
    Episode.objects.filter(incident=repeated).update(incident=into)
    Incident.objects.filter(pk=into.pk).update(due_at=AT_ONCE)
    return Incident.objects.select_related("team", "environment").get(pk=into.pk)


def _outward(into: Incident, other: Incident) -> dict[str, Any]:  # Any: JSON
    """The keys of the record that the other incident widens."""
    payload: dict[str, Any] = {}  # Any: JSON
    names = _service_names(into)
    both = list(dict.fromkeys([*names, *_service_names(other)]))
    if both != names:
        payload["services"] = both
    if other.begins_at < into.begins_at:
        payload["started_at"] = instant_text(other.begins_at)
    ends = [into.restored_at, other.restored_at]
    restored_at = None if None in ends else max(end for end in ends if end is not None)
    if restored_at != into.restored_at:
        payload["restored_at"] = instant_text(restored_at) if restored_at is not None else None
    spells = joined_spells([*_spells(into), *_spells(other)])
    if len(spells) > 1 or into.impact_spells.exists():
        payload["impact"] = spell_payload(spells)
    return payload


def _service_names(incident: Incident) -> list[str]:
    return list(incident.incident_services.values_list("service__name", flat=True))


def _spells(incident: Incident) -> list[Spell]:
    told = [Spell(row.from_at, row.to_at, row.degradation) for row in incident.impact_spells.order_by("from_at", "pk")]
    return spells_told(told, began_at=incident.begins_at, restored_at=incident.restored_at, degradation=None)


@transaction.atomic
def split(*, incident: Incident, issues: Collection[int], title: str, by: User, now: dt.datetime) -> Incident:
    """These issues (by key) of the incident were something else: a new incident with their services, times and symptoms.

    The machine does not join the two again. Raises StateRefused without issues, or where none would be left.
    """
    incident = locked(incident)
    links = list(incident.incident_issues.filter(issue__in=issues).select_related("issue__service"))
    if not links:
        raise StateRefused("Choose the issues that were something else.")
    if len(links) == incident.incident_issues.count():
        raise StateRefused("Leave at least one issue: an incident without evidence could as well be renamed.")
    symptoms = Episode.objects.filter(incident=incident, issue__in=[link.issue_id for link in links])
    begins = [*symptoms.values_list("started_at", flat=True)] or [link.from_at for link in links]
    services = list({link.issue.service_id: link.issue.service for link in links}.values())
    fresh = declare(
        team=incident.team, title=title, by=by, now=now, services=services,
        impact_class=ImpactClass(incident.impact_class), started_at=min(begins), restored_at=incident.restored_at,
        environment=incident.environment.name,
    )  # fmt: skip
    Incident.objects.filter(pk=fresh.pk).update(split_from=incident, due_at=AT_ONCE)
    Incident.objects.filter(pk=incident.pk).update(due_at=AT_ONCE)
    IncidentIssue.objects.filter(pk__in=[link.pk for link in links]).update(incident=fresh)
    symptoms.update(incident=fresh)
    for each, data in (
        (fresh, {"state": "split_from", "number": incident.number}),
        (incident, {"state": "split", "number": fresh.number}),
    ):
        write_lines(incident=each, lines=[Line(kind=STATE, data=data)], by=by, now=now)
        announce(each)
    return Incident.objects.select_related("team", "environment").get(pk=fresh.pk)
