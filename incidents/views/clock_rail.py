"""The clocks of an incident as the page draws them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse

from deploys.domain.instants import instant_text
from deploys.domain.wording import duration
from incidents.domain.clocks import Clock
from incidents.models import Incident, TimelineEntry
from incidents.queries.signals import ALERT

_AHEAD = {
    Clock.STARTED: "not known",
    Clock.DETECTED: "not told",
    Clock.RESTORED: "when users are no longer hit",
    Clock.CLOSED: "when all is said",
}


@dataclass(frozen=True, slots=True)
class DrawnClock:
    """One point of the rail, as `ui/clocks.html` wants it."""

    name: str
    at: dt.datetime | None
    state: str
    said: str
    edit_url: str
    action: str = ""
    missing: str = ""


def clock_rail(
    incident: Incident, entries: Iterable[TimelineEntry], team_slug: str, *, can_write: bool, told_by: str = ""
) -> list[DrawnClock]:
    """The six clocks in their order. An edited one says by whom; for people who may edit, each is a link.

    told_by: what of ours met the rule first (`queries.signals`).
    """
    clocks: Mapping[Clock, dt.datetime | None] = {clock: getattr(incident, clock.value) for clock in Clock}
    editors = _editors(entries)
    passed = [clock for clock in Clock if clocks[clock] is not None]
    last = passed[-1] if passed else Clock.STARTED
    drawn = []
    for clock in Clock:
        at = clocks[clock]
        state = "" if at is None else "passed"
        if clock is last and incident.is_open:
            state = "running"
        drawn.append(
            DrawnClock(
                name=clock.words,
                at=at,
                state=state,
                said=_said(clock, at, incident, editors, told_by) if at else _AHEAD.get(clock, ""),
                edit_url=reverse("incident-clock", args=[team_slug, incident.number, clock.value.removesuffix("_at")])
                if can_write
                else "",
                missing="not told" if clock is not Clock.CLOSED and incident.restored_at is not None else "",
                action="incidents/mitigate.html" if clock is Clock.MITIGATED and can_write and incident.is_open else "",
            )
        )
    return drawn


def _editors(entries: Iterable[TimelineEntry]) -> dict[tuple[str, str], str]:
    """Who set which clock to what."""
    return {
        (entry.data.get("clock", ""), entry.data.get("to") or ""): entry.actor.name
        for entry in entries
        if entry.kind == TimelineEntry.Kind.CLOCK and entry.actor is not None
    }


def _said(
    clock: Clock, at: dt.datetime, incident: Incident, editors: Mapping[tuple[str, str], str], told_by: str
) -> str:
    """How long after the start, and who says so."""
    parts = []
    if clock is not Clock.STARTED and at > incident.begins_at:
        parts.append(f"after {duration(at - incident.begins_at)}")
    who = editors.get((clock.value, instant_text(at)))
    if who:
        parts.append(who if clock is Clock.ACKNOWLEDGED else f"set by {who}")
    elif clock is Clock.DETECTED:
        parts.append(detection_words(incident.detected_by, told_by))
    elif clock is Clock.STARTED and incident.detected_by != "upshot":
        parts.append("as declared")
    elif clock is Clock.STARTED:
        parts.append("as the alert says" if told_by == ALERT else "first failing evidence")
    return ", ".join(parts)


def detection_words(detected_by: str, told_by: str = "") -> str:
    """Who or what noticed it: `from an alert`, `by a person`; a source that was told is named as it was."""
    known = {"upshot": f"from {told_by or 'errors'}", "person": "by a person", "users": "by users"}
    return known.get(detected_by, detected_by)
