"""Declaring an incident by hand: a title is enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from deploys.actions.facts import NewFact, record_facts
from deploys.domain.identifiers import uuid7
from deploys.domain.instants import instant_text
from deploys.models import FactOrigin, Service, Team, User
from incidents.actions.notes import add_note
from incidents.actions.telling import Line, announce, write_lines
from incidents.domain.clocks import Clock, checked_clocks
from incidents.models import AT_ONCE, ImpactClass, Incident, IncidentIssue, Issue, TimelineEntry

SOURCE = "upshot"


class DeclareRefused(ValueError):
    """An incident that cannot be declared like this; `field` is the one to correct."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def default_service(*, team: Team) -> Service | None:
    """The service a declaration is most likely about: the one that reported an error last, else the first by name."""
    services = list(Service.objects.filter(team=team, retired_at=None).order_by("name"))
    heard = [service for service in services if service.last_event_at is not None]
    if heard:
        return max(heard, key=lambda service: service.last_event_at or service.created_at)
    return services[0] if services else None


@transaction.atomic
def declare(
    *,
    team: Team,
    title: str,
    by: User,
    now: dt.datetime,
    services: Sequence[Service] = (),
    impact_class: ImpactClass | None = None,
    started_at: dt.datetime | None = None,
    restored_at: dt.datetime | None = None,
    clocks: Mapping[Clock, dt.datetime] | None = None,
    environment: str = "production",
    note: str = "",
    issue: Issue | None = None,
) -> Incident:
    """Opens an incident. Only the title is needed; what a person did not say, the machine may still correct.

    `clocks`: further ones that are known already, for what is logged afterwards. Left out: the service of the issue or the likeliest one; multi-user; from now on, noticed and looked at now. One that
    is over already was noticed nobody knows when. Raises DeclareRefused and ClockRefused.
    """
    title = title.strip()[:300]
    if not title:
        raise DeclareRefused("title", "Say in a few words what is broken.")
    chosen = list(services) or [
        service for service in [issue.service if issue else default_service(team=team)] if service
    ]
    if not chosen:
        raise DeclareRefused("services", "There is no service yet: add one first.")
    if any(service.team_id != team.pk for service in chosen):
        raise DeclareRefused("services", "Choose services of this team.")
    began_at = started_at or (issue_began_at(issue) if issue else now)
    known = {**(clocks or {}), **({Clock.RESTORED: restored_at} if restored_at is not None else {})}
    _check_clocks(began_at, known, now)
    said: dict[str, Any] = {"title": title}  # Any: JSON
    left: dict[str, Any] = {"environment": environment, "detected_by": "person"}
    (said if services else left)["services"] = [service.name for service in chosen]
    (said if impact_class else left)["class"] = (impact_class or _likely_class(issue)).value
    (said if started_at else left)["started_at"] = instant_text(began_at)
    said |= {clock.value: instant_text(at) for clock, at in known.items()}
    if Clock.RESTORED not in known:
        left |= {each.value: instant_text(now) for each in (Clock.DETECTED, Clock.ACKNOWLEDGED) if each not in known}
    incident = _record(team=team, said=said, left=left, by=by, now=now)
    if issue is not None:
        IncidentIssue.objects.create(incident=incident, issue=issue, from_at=began_at)
    if note.strip():
        add_note(incident=incident, text=note, by=by, now=now)
    return incident


def _check_clocks(began_at: dt.datetime, known: Mapping[Clock, dt.datetime], now: dt.datetime) -> None:
    """Raises ClockRefused for a clock that cannot stand there beside the others."""
    every: dict[Clock, dt.datetime | None] = {Clock.STARTED: began_at, **known}
    if Clock.RESTORED not in known:
        every.setdefault(Clock.DETECTED, max(now, began_at))
    for clock, at in known.items():
        checked_clocks(every, clock=clock, at=at, now=now)
    checked_clocks(every, clock=Clock.STARTED, at=began_at, now=now)


def _record(
    *, team: Team, said: dict[str, Any], left: dict[str, Any], by: User, now: dt.datetime
) -> Incident:  # Any: JSON
    """Writes what was left to the product as the machine's word and what was said as the person's."""
    external_id = str(uuid7())
    record_facts(
        team=team,
        facts=[
            NewFact(
                kind="incident", payload={"id": external_id, **payload}, received_at=now, source=SOURCE, origin=origin, actor=by
            )
            for origin, payload in ((FactOrigin.MODEL, left), (FactOrigin.PERSON, said))
        ],
    )  # fmt: skip
    incident = Incident.objects.select_related("team", "environment").get(
        team=team, source=SOURCE, external_id=external_id
    )
    # Due at once: the machine looks for events and for the change behind it.
    Incident.objects.filter(pk=incident.pk).update(lead=by, due_at=AT_ONCE)
    write_lines(
        incident=incident,
        lines=[Line(kind=TimelineEntry.Kind.OPENED, data={"by": "person", "class": incident.impact_class})],
        by=by,
        now=now,
    )
    announce(incident)
    incident.refresh_from_db()
    return incident


def issue_began_at(issue: Issue) -> dt.datetime:
    """When the issue's present trouble began: where it came back, then; else when it was first seen."""
    return issue.regressed_at or issue.first_seen_at


def _likely_class(issue: Issue | None) -> ImpactClass:
    """What a person declares usually hits many; of an issue the number of users is known."""
    if issue is not None and issue.users_count == 1:
        return ImpactClass.SINGLE_USER
    return ImpactClass.MULTI_USER
