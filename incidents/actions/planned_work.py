"""Planned work as people tell it: announced ahead, called off, or excused afterwards. Every act is a fact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from deploys.actions.facts import record_fact
from deploys.domain.identifiers import uuid7
from deploys.domain.instants import instant_text
from deploys.models import FactOrigin, Service, Team, User
from incidents.models import Maintenance

SOURCE = "upshot"


class SlotRefused(ValueError):
    """A slot that cannot be; `field` is the one to correct."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def announce(
    *,
    team: Team,
    title: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by: User,
    now: dt.datetime,
    services: Sequence[Service] = (),
    environment: str = "production",
) -> Maintenance:
    """Tells of work in [starts_at, ends_at) on these services; on all where none is named. Users are told now.

    Only what is told long enough ahead leaves the headline of uptime (the team's policy says how long). A slot may be
    told late: it then excuses nothing until somebody excuses it. Raises SlotRefused.
    """
    if not title.strip():
        raise SlotRefused("title", "Say in a few words what is done.")
    if ends_at <= starts_at:
        raise SlotRefused("ends_at", "The end must come after the start.")
    if any(service.team_id != team.pk for service in services):
        raise SlotRefused("services", "Choose services of this team.")
    external_id = str(uuid7())
    payload: dict[str, Any] = {
        "id": external_id,
        "title": title.strip()[:300],
        "starts_at": instant_text(starts_at),
        "ends_at": instant_text(ends_at),
        "announced_at": instant_text(now),
        "environment": environment,
    }
    if services:
        payload["services"] = [service.name for service in services]
    _tell(team, payload, by, now, SOURCE)
    return Maintenance.objects.get(team=team, source=SOURCE, external_id=external_id)


def call_off(*, slot: Maintenance, by: User, now: dt.datetime) -> None:
    """The work does not take place: it excuses nothing. Raises SlotRefused once it is over."""
    if slot.ends_at <= now:
        raise SlotRefused("act", "It is over: what took place cannot be called off.")
    _tell(slot.team, {"id": slot.external_id, "cancelled": True}, by, now, slot.source)


def excuse(*, slot: Maintenance, by: User, now: dt.datetime) -> None:
    """This person approves it without notice: it leaves the second figure of uptime, never the headline."""
    if slot.is_cancelled:
        raise SlotRefused("act", "It was called off.")
    _tell(slot.team, {"id": slot.external_id, "excused_by": by.name}, by, now, slot.source)


def withdraw_excuse(*, slot: Maintenance, by: User, now: dt.datetime) -> None:
    """Nobody approves it any more."""
    _tell(slot.team, {"id": slot.external_id, "excused_by": None}, by, now, slot.source)


def _tell(team: Team, payload: Mapping[str, Any], by: User, now: dt.datetime, source: str) -> None:  # Any: JSON
    record_fact(
        team=team,
        kind="maintenance",
        payload=payload,
        received_at=now,
        origin=FactOrigin.PERSON,
        source=source,
        actor=by,
    )
