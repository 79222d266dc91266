"""Where an incident stands: acknowledged, mitigated, restored, reopened, closed, a false alarm, a repetition."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from deploys.domain.instants import instant_text
from deploys.models import User
from incidents.actions.clocks import set_clock
from incidents.actions.telling import Line, announce, locked, payload_of, tell, write_lines
from incidents.domain.clocks import Clock
from incidents.models import Incident, TimelineEntry

STATE = TimelineEntry.Kind.STATE


class StateRefused(ValueError):
    """What was asked does not follow from where the incident stands; the message says why."""


@transaction.atomic
def acknowledge(*, incident: Incident, by: User, now: dt.datetime) -> Incident:
    """Somebody looks at it: sets the clock if it is not set, and makes them its lead if it has none."""
    incident = locked(incident)
    if incident.acknowledged_at is None:
        incident = set_clock(incident=incident, clock=Clock.ACKNOWLEDGED, at=now, by=by, now=now)
    if incident.lead_id is None:
        take_lead(incident=incident, by=by, now=now)
    return Incident.objects.get(pk=incident.pk)


@transaction.atomic
def take_lead(*, incident: Incident, by: User, now: dt.datetime) -> Incident:
    """This person leads from now on."""
    if incident.lead_id != by.pk:
        Incident.objects.filter(pk=incident.pk).update(lead=by)
        write_lines(incident=incident, lines=[Line(kind=STATE, data={"state": "lead"})], by=by, now=now)
        announce(incident)
    return Incident.objects.get(pk=incident.pk)


def mitigate(*, incident: Incident, by: User, now: dt.datetime, at: dt.datetime | None = None) -> Incident:
    """The worst is over. Raises ClockRefused."""
    return set_clock(incident=incident, clock=Clock.MITIGATED, at=at or now, by=by, now=now)


def resolve(*, incident: Incident, by: User, now: dt.datetime, at: dt.datetime | None = None) -> Incident:
    """Users are no longer hit, since `at` (now by default). Raises ClockRefused."""
    return set_clock(incident=incident, clock=Clock.RESTORED, at=at or now, by=by, now=now)


@transaction.atomic
def reopen(*, incident: Incident, by: User, now: dt.datetime, came_back: bool = True) -> Incident:
    """It is not over. `came_back`: a second spell of impact begins now; else the first one never ended.

    Raises StateRefused when it is open already.
    """
    incident = locked(incident)
    if incident.restored_at is None:
        raise StateRefused("This incident is open already.")
    payload: dict[str, Any] = {"restored_at": None}  # Any: JSON
    told = list(payload_of(incident).get("impact") or [])
    if came_back:
        first = {"from_at": instant_text(incident.begins_at), "to_at": instant_text(incident.restored_at)}
        payload["impact"] = [*(told or [first]), {"from_at": instant_text(now), "to_at": None}]
    elif told:
        payload["impact"] = [*told[:-1], {**told[-1], "to_at": None}]
    Incident.objects.filter(pk=incident.pk).update(closed_at=None)
    line = Line(kind=STATE, data={"state": "reopened", "came_back": came_back})
    return tell(incident=incident, payload=payload, by=by, now=now, lines=[line])


def close(*, incident: Incident, by: User, now: dt.datetime) -> Incident:
    """People are done with it. Raises ClockRefused while it is not restored."""
    return set_clock(incident=incident, clock=Clock.CLOSED, at=now, by=by, now=now)


@transaction.atomic
def dismiss(*, incident: Incident, by: User, now: dt.datetime, reason: str = "") -> Incident:
    """It was a false alarm: it counts nowhere from now on."""
    incident = locked(incident)
    if incident.is_dismissed:
        return incident
    line = Line(kind=STATE, text=reason.strip(), data={"state": "dismissed"})
    return tell(incident=incident, payload={"dismissed": True}, by=by, now=now, lines=[line])


@transaction.atomic
def undismiss(*, incident: Incident, by: User, now: dt.datetime) -> Incident:
    """It was no false alarm after all."""
    incident = locked(incident)
    if not incident.is_dismissed:
        return incident
    line = Line(kind=STATE, data={"state": "undismissed"})
    return tell(incident=incident, payload={"dismissed": False}, by=by, now=now, lines=[line])


@transaction.atomic
def mark_duplicate(*, incident: Incident, of: Incident, by: User, now: dt.datetime) -> Incident:
    """It repeats another incident and counts nowhere. Raises StateRefused for itself, another team's, or a circle."""
    incident, of = locked(incident), locked(of)
    if of.pk == incident.pk:
        raise StateRefused("An incident cannot repeat itself.")
    if of.team_id != incident.team_id:
        raise StateRefused("That incident belongs to another team.")
    if of.duplicate_of_id is not None:
        raise StateRefused(f"{of.slug} repeats another incident itself: name that one.")
    if incident.duplicates.exists():
        raise StateRefused("Other incidents repeat this one: point those elsewhere first.")
    line = Line(kind=STATE, data={"state": "duplicate", "number": of.number})
    return tell(incident=incident, payload={"duplicate_of": of.external_id}, by=by, now=now, lines=[line])


@transaction.atomic
def not_duplicate(*, incident: Incident, by: User, now: dt.datetime) -> Incident:
    """It stands for itself after all."""
    incident = locked(incident)
    if incident.duplicate_of_id is None:
        return incident
    line = Line(kind=STATE, data={"state": "not_duplicate"})
    return tell(incident=incident, payload={"duplicate_of": None}, by=by, now=now, lines=[line])
