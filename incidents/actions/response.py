"""How people work on an incident: roles and their hand-over, severity, who noticed, the missing test, what ended it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from deploys.domain.instants import instant_text
from deploys.models import Membership, Service, User
from incidents.actions import impact
from incidents.actions.clocks import set_clock
from incidents.actions.states import take_lead
from incidents.actions.telling import Line, announce, locked, tell, write_lines
from incidents.domain.clocks import Clock
from incidents.domain.impact_spells import checked_spells
from incidents.domain.incident_record import Spell
from incidents.domain.response import Ending, Noticed, ResponseRole, Severity
from incidents.models import Incident, RoleHolder, TimelineEntry

Kind = TimelineEntry.Kind


class ResponseRefused(ValueError):
    """What was asked cannot be; the message says why."""


@transaction.atomic
def hand_over(
    *, incident: Incident, roles: Mapping[ResponseRole, User | None], by: User, now: dt.datetime, note: str = ""
) -> Incident:
    """These people hold these roles from now on (None: nobody); roles that are not named stay. Who holds one already keeps it.

    Raises ResponseRefused for somebody who is no member of the team.
    """
    incident = locked(incident)
    people = {person.pk for person in roles.values() if person is not None}
    if Membership.objects.filter(team=incident.team_id, user__in=people).count() != len(people):
        raise ResponseRefused("Choose members of this team.")
    held = {row.role: row.person for row in incident.role_holders.select_related("person")}
    lines = []
    for role, person in roles.items():
        before = incident.lead if role is ResponseRole.LEAD else held.get(role.value)
        if before == person:
            continue
        _hold(incident, role, person, now)
        data = {
            "state": "role",
            "role": role.value,
            "to": person.name if person else "",
            "from": before.name if before else "",
        }
        lines.append(Line(kind=Kind.STATE, text=note.strip()[:300], data=data))
    if lines:
        write_lines(incident=incident, lines=lines, by=by, now=now)
        announce(incident)
    return Incident.objects.get(pk=incident.pk)


def _hold(incident: Incident, role: ResponseRole, person: User | None, now: dt.datetime) -> None:
    if role is ResponseRole.LEAD:
        Incident.objects.filter(pk=incident.pk).update(lead=person)
    elif person is None:
        RoleHolder.objects.filter(incident=incident, role=role.value).delete()
    else:
        RoleHolder.objects.update_or_create(
            incident=incident, role=role.value, defaults={"person": person, "since_at": now}
        )


@transaction.atomic
def take_role(*, incident: Incident, role: ResponseRole, by: User, now: dt.datetime) -> Incident:
    """This person does it from now on."""
    if role is ResponseRole.LEAD:
        return take_lead(incident=incident, by=by, now=now)
    return hand_over(incident=incident, roles={role: by}, by=by, now=now)


@transaction.atomic
def set_severity(*, incident: Incident, severity: Severity, by: User, now: dt.datetime, reason: str = "") -> Incident:
    """How urgently people work on it. It changes no number."""
    incident = locked(incident)
    if incident.severity == severity.value:
        return incident
    Incident.objects.filter(pk=incident.pk).update(severity=severity.value)
    data = {"state": "severity", "from": incident.severity, "to": severity.value}
    write_lines(incident=incident, lines=[Line(kind=Kind.STATE, text=reason.strip()[:300], data=data)], by=by, now=now)
    announce(incident)
    incident.severity = severity.value
    return incident


@transaction.atomic
def note_missing_test(*, incident: Incident, text: str, by: User, now: dt.datetime) -> Incident:
    """The test that would have caught it; empty: none is named."""
    incident = locked(incident)
    text = text.strip()[:300]
    if incident.missing_test == text:
        return incident
    Incident.objects.filter(pk=incident.pk).update(missing_test=text)
    write_lines(
        incident=incident, lines=[Line(kind=Kind.STATE, data={"state": "missing_test", "to": text})], by=by, now=now
    )
    announce(incident)
    incident.missing_test = text
    return incident


@transaction.atomic
def set_noticed(*, incident: Incident, noticed: Noticed, by: User, now: dt.datetime) -> Incident:
    """Who noticed it first: our machines, one of us, or users."""
    incident = locked(incident)
    if incident.detected_by == noticed.value:
        return incident
    line = Line(kind=Kind.STATE, data={"state": "noticed", "from": incident.detected_by, "to": noticed.value})
    return tell(incident=incident, payload={"detected_by": noticed.value}, by=by, now=now, lines=[line])


@transaction.atomic
def set_spells(
    *, incident: Incident, spells: Sequence[Spell], by: User, now: dt.datetime, reason: str = ""
) -> Incident:
    """The times in which it hurt (none: from its start to its end). Raises SpellsRefused."""
    incident = locked(incident)
    told = [Spell(row.from_at, row.to_at, row.degradation) for row in incident.impact_spells.order_by("from_at", "pk")]
    wanted = checked_spells(spells, began_at=incident.begins_at, restored_at=incident.restored_at, now=now)
    if wanted == told:
        return incident
    line = Line(kind=Kind.CLASS, text=reason.strip()[:300], data={"spells": len(wanted)})
    return tell(incident=incident, payload={"impact": spell_payload(wanted) or None}, by=by, now=now, lines=[line])


def spell_payload(spells: Sequence[Spell]) -> list[dict[str, object]]:
    """The key `impact` of the history format."""
    return [
        {
            "from_at": instant_text(spell.from_at),
            "to_at": instant_text(spell.to_at) if spell.to_at is not None else None,
            **({} if spell.degradation is None else {"degradation": spell.degradation}),
        }
        for spell in spells
    ]


@transaction.atomic
def end_otherwise(
    *, incident: Incident, ending: Ending, note: str, at: dt.datetime | None, by: User, now: dt.datetime
) -> Incident:
    """What ended it, where no change did. `at`: since when users are no longer hit; it restores an incident that is open.

    Raises ClockRefused.
    """
    incident = locked(incident)
    note = note.strip()[:300]
    if (incident.ended_by, incident.ended_note) != (ending.value, note):
        Incident.objects.filter(pk=incident.pk).update(ended_by=ending.value, ended_note=note)
        line = Line(kind=Kind.STATE, text=note, data={"state": "ended", "to": ending.value})
        write_lines(incident=incident, lines=[line], by=by, now=now)
        announce(incident)
    if ending is not Ending.UNSAID and incident.restored_at is None and at is not None:
        set_clock(incident=incident, clock=Clock.RESTORED, at=at, by=by, now=now)
    return Incident.objects.get(pk=incident.pk)


@transaction.atomic
def edit(
    *,
    incident: Incident,
    title: str,
    services: Sequence[Service],
    degradation: float | None,
    severity: Severity,
    noticed: Noticed | None,
    missing_test: str,
    by: User,
    now: dt.datetime,
    reason: str = "",
) -> Incident:
    """All that the form of an incident asks; what did not change stays as it was. `noticed` None: as told.

    Raises ImpactRefused.
    """
    incident = impact.edit(incident=incident, title=title, services=services, degradation=degradation, by=by, now=now)
    incident = set_severity(incident=incident, severity=severity, by=by, now=now, reason=reason)
    if noticed is not None:
        incident = set_noticed(incident=incident, noticed=noticed, by=by, now=now)
    return note_missing_test(incident=incident, text=missing_test, by=by, now=now)
