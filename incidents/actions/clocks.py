"""Setting an incident's clocks by hand: what a person sets, the machine never moves."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from deploys.domain.instants import instant_text
from deploys.models import User
from incidents.actions.telling import Line, announce, locked, payload_of, tell, write_lines
from incidents.domain.clocks import Clock, checked_clocks
from incidents.models import Incident, TimelineEntry


@transaction.atomic
def set_clock(
    *, incident: Incident, clock: Clock, at: dt.datetime | None, by: User, now: dt.datetime, reason: str = ""
) -> Incident:
    """The clock stands at `at` from now on (None: withdrawn). Raises ClockRefused; setting it where it stands is nothing.

    Restoring ends a spell of impact that still lasts, at that instant.
    """
    incident = locked(incident)
    before = clocks_of(incident)
    if before[clock] == at:
        return incident
    checked_clocks(before, clock=clock, at=at, now=now)
    line = Line(
        kind=TimelineEntry.Kind.CLOCK,
        text=reason.strip(),
        data={"clock": clock.value, "from": _told(before[clock]), "to": _told(at)},
    )
    if clock is Clock.CLOSED:
        Incident.objects.filter(pk=incident.pk).update(closed_at=at)
        write_lines(incident=incident, lines=[line], by=by, now=now)
        announce(incident)
        incident.closed_at = at
        return incident
    payload: dict[str, Any] = {clock.value: _told(at)}  # Any: JSON
    if clock is Clock.RESTORED and at is not None:
        payload |= ended_impact(incident, at)
    return tell(incident=incident, payload=payload, by=by, now=now, lines=[line])


def clocks_of(incident: Incident) -> dict[Clock, dt.datetime | None]:
    """All six clocks of the row."""
    return {clock: getattr(incident, clock.value) for clock in Clock}


def ended_impact(incident: Incident, at: dt.datetime) -> dict[str, Any]:  # Any: JSON
    """The key `impact` with its lasting spell ended at `at`; nothing where no spell lasts."""
    spells = payload_of(incident).get("impact") or []
    if all(spell.get("to_at") is not None for spell in spells):
        return {}
    return {"impact": [spell if spell.get("to_at") is not None else {**spell, "to_at": _told(at)} for spell in spells]}


def _told(at: dt.datetime | None) -> str | None:
    return None if at is None else instant_text(at)
