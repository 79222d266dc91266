"""Incidents that programs declare, update and end by the API. The program's own id makes a repeated message nothing new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from deploys.actions.facts import record_fact
from deploys.domain.identifiers import uuid7
from deploys.domain.instants import instant_text
from deploys.models import FactOrigin, Service, Team
from incidents.actions.clocks import clocks_of
from incidents.actions.declare import DeclareRefused, default_service
from incidents.actions.telling import Line, announce, payload_of, write_lines
from incidents.domain.clocks import Clock, checked_clocks
from incidents.models import AT_ONCE, ImpactClass, Incident, TimelineEntry

SOURCE: Final = "api"
Kind = TimelineEntry.Kind


@dataclass(frozen=True, slots=True)
class OutsideIncident:
    """What a program says of one incident; None says nothing of it. `withdrawn`: clocks that are taken back."""

    id: str = ""
    title: str | None = None
    impact_class: ImpactClass | None = None
    services: Sequence[str] | None = None
    environment: str | None = None
    clocks: Mapping[Clock, dt.datetime] | None = None
    withdrawn: frozenset[Clock] = frozenset()
    note: str = ""


class UnknownServices(ValueError):
    """Services that do not exist, named by a program that may not make any."""


@transaction.atomic
def take_incident(
    *, team: Team, said: OutsideIncident, told_by: str, can_create: bool, now: dt.datetime
) -> tuple[Incident, str]:
    """Declares the incident, or brings the one of this id up to date; the incident, and created, updated or duplicate.

    Left out of a declaration: the likeliest service, multi-user, from now on. A person's word stands: what a person set is
    not changed. Raises DeclareRefused, ClockRefused, UnknownServices.
    """
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    incident = _known(team, said.id)
    if not can_create and said.services:
        ours = set(Service.objects.filter(team=team, name__in=said.services).values_list("name", flat=True))
        if missing := [name for name in said.services if name not in ours]:
            raise UnknownServices(", ".join(missing))
    payload = _payload(team, said, incident, now)
    if incident is None:
        incident = _record(team, said.id or str(uuid7()), payload, now)
        lines = [
            Line(kind=Kind.OPENED, text=f"Declared by {told_by}.", data={"by": told_by, "class": incident.impact_class})
        ]
        verdict = "created"
    else:
        told = payload_of(incident)
        payload = {
            key: value for key, value in payload.items() if key not in incident.person_keys and told.get(key) != value
        }
        if not payload and not _is_new_note(incident, said.note):
            return incident, "duplicate"
        lines = [_clock_line(incident, key, value) for key, value in payload.items() if key.endswith("_at")]
        if payload:
            incident = _record(team, incident.external_id, payload, now)
        verdict = "updated"
    write_lines(incident=incident, lines=lines, by=None, now=now)
    if _is_new_note(incident, said.note):
        TimelineEntry.objects.create(incident=incident, at=now, kind=Kind.NOTE, text=said.note)
    Incident.objects.filter(pk=incident.pk).update(due_at=AT_ONCE)
    announce(incident)
    return incident, verdict


def _known(team: Team, external_id: str) -> Incident | None:
    if not external_id:
        return None
    rows = Incident.objects.select_related("team", "environment")
    return rows.filter(team=team, source=SOURCE, external_id=external_id).first()


def _payload(
    team: Team, said: OutsideIncident, incident: Incident | None, now: dt.datetime
) -> dict[str, Any]:  # Any: JSON
    payload: dict[str, Any] = {}  # Any: JSON
    title = (said.title or "").strip()[:300]
    if title:
        payload["title"] = title
    elif incident is None:
        raise DeclareRefused("title", "missing: say in a few words what is broken")
    services = list(dict.fromkeys(said.services or ()))
    if not services and incident is None:
        likeliest = default_service(team=team)
        if likeliest is None:
            raise DeclareRefused("services", "there is no service yet: name one")
        services = [likeliest.name]
    if services:
        payload["services"] = services
    if said.impact_class is not None or incident is None:
        payload["class"] = (said.impact_class or ImpactClass.MULTI_USER).value
    if incident is None:
        payload |= {"environment": said.environment or "production", "detected_by": SOURCE}
    clocks = _clocks(said, incident, now)
    return payload | {clock.value: None if at is None else instant_text(at) for clock, at in clocks.items()}


def _clocks(said: OutsideIncident, incident: Incident | None, now: dt.datetime) -> dict[Clock, dt.datetime | None]:
    """The clocks that are told, checked beside those that stand."""
    told: dict[Clock, dt.datetime | None] = dict(said.clocks or {})
    told |= dict.fromkeys(said.withdrawn, None)
    asked = list(reversed(told))  # the later of two that do not fit is the one to correct
    if incident is None:
        if told.get(Clock.STARTED) is None and told.get(Clock.DETECTED) is None:
            told[Clock.STARTED] = now
        if told.get(Clock.RESTORED) is None and told.get(Clock.DETECTED) is None:
            told[Clock.DETECTED] = now
    standing = clocks_of(incident) if incident is not None else dict.fromkeys(Clock, None)
    after = {**standing, **told}
    for clock in asked:
        checked_clocks(after, clock=clock, at=told[clock], now=now)
    return told


def _record(team: Team, external_id: str, payload: Mapping[str, Any], now: dt.datetime) -> Incident:  # Any: JSON
    record_fact(
        team=team, kind="incident", payload={"id": external_id, **payload}, received_at=now, origin=FactOrigin.LIVE,
        source=SOURCE,
    )  # fmt: skip
    return Incident.objects.select_related("team", "environment").get(team=team, source=SOURCE, external_id=external_id)


def _clock_line(incident: Incident, key: str, value: str | None) -> Line:
    before = getattr(incident, key)
    data = {"clock": key, "from": instant_text(before) if before is not None else None, "to": value}
    return Line(kind=Kind.CLOCK, data=data)


def _is_new_note(incident: Incident, note: str) -> bool:
    """A note is written once, however often it is sent."""
    return bool(note) and not incident.timeline.filter(kind=Kind.NOTE, actor=None, text=note).exists()
