"""Whom an incident hit and how badly, as people say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from deploys.models import Service, User
from incidents.actions.telling import Line, locked, tell
from incidents.models import ImpactClass, Incident, TimelineEntry


class ImpactRefused(ValueError):
    """What was asked of the impact cannot be."""


@transaction.atomic
def set_class(*, incident: Incident, impact_class: ImpactClass, by: User, now: dt.datetime, note: str = "") -> Incident:
    """A person's class stands: the machine does not change it again. Said again without a note, it is nothing new."""
    incident = locked(incident)
    note = note.strip()[:300]
    if incident.impact_class == impact_class and "class" in incident.person_keys and not note:
        return incident
    Incident.objects.filter(pk=incident.pk).update(class_note=note)
    line = Line(
        kind=TimelineEntry.Kind.CLASS, text=note, data={"from": incident.impact_class, "to": impact_class.value}
    )
    return tell(incident=incident, payload={"class": impact_class.value}, by=by, now=now, lines=[line])


@transaction.atomic
def set_services(*, incident: Incident, services: Sequence[Service], by: User, now: dt.datetime) -> Incident:
    """The services it hit, the one it is told of first in front. Raises ImpactRefused without any or for a stranger's."""
    incident = locked(incident)
    if not services:
        raise ImpactRefused("Choose at least one service.")
    if any(service.team_id != incident.team_id for service in services):
        raise ImpactRefused("Choose services of this team.")
    names = [service.name for service in services]
    before = [each.service.name for each in incident.incident_services.select_related("service")]
    if names == before:
        return incident
    line = Line(kind=TimelineEntry.Kind.CLASS, data={"services": names})
    return tell(incident=incident, payload={"services": names}, by=by, now=now, lines=[line])


@transaction.atomic
def set_degradation(*, incident: Incident, degradation: float | None, by: User, now: dt.datetime) -> Incident:
    """The share of the service that was lost, 0 to 1; None: the default of its class. Raises ImpactRefused."""
    incident = locked(incident)
    if degradation is not None and not 0 <= degradation <= 1:
        raise ImpactRefused("Give a share from 0 to 100 %.")
    if incident.degradation == degradation:
        return incident
    line = Line(kind=TimelineEntry.Kind.CLASS, data={"degradation": degradation})
    return tell(incident=incident, payload={"degradation": degradation}, by=by, now=now, lines=[line])


@transaction.atomic
def rename(*, incident: Incident, title: str, by: User, now: dt.datetime) -> Incident:
    """What it is, in words people say. Raises ImpactRefused for an empty title."""
    incident = locked(incident)
    title = title.strip()[:300]
    if not title:
        raise ImpactRefused("Say in a few words what is broken.")
    if incident.title == title:
        return incident
    line = Line(kind=TimelineEntry.Kind.STATE, data={"state": "renamed", "from": incident.title})
    return tell(incident=incident, payload={"title": title}, by=by, now=now, lines=[line])


@transaction.atomic
def edit(
    *,
    incident: Incident,
    title: str,
    services: Sequence[Service],
    degradation: float | None,
    by: User,
    now: dt.datetime,
) -> Incident:
    """All three at once, as its form sends them; what did not change stays the machine's. Raises ImpactRefused."""
    incident = rename(incident=incident, title=title, by=by, now=now)
    incident = set_services(incident=incident, services=services, by=by, now=now)
    return set_degradation(incident=incident, degradation=degradation, by=by, now=now)
