"""How what a person says about an incident is recorded: a fact, a line in its timeline, an announcement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import transaction

from deploys.actions.facts import identity_of, record_fact, records_of
from deploys.models import Change, FactOrigin, User
from incidents.models import Incident, TimelineEntry
from incidents.ports import incidents_move
from incidents.signals import incident_changed


@dataclass(frozen=True, slots=True)
class Line:
    """A timeline line about to be written. `data` holds what pages make their sentence from."""

    kind: TimelineEntry.Kind
    text: str = ""
    change: Change | None = None
    data: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON


def locked(incident: Incident) -> Incident:
    """The incident as it stands, held until the transaction ends, so that two people's edits come one after the other."""
    return Incident.objects.select_for_update().select_related("team", "environment").get(pk=incident.pk)


def payload_of(incident: Incident) -> Mapping[str, Any]:  # Any: JSON
    """The folded record behind the row."""
    identity = identity_of("incident", incident.source, {"id": incident.external_id})
    records = records_of(team=incident.team, kind="incident", identities=[identity])
    return records[0].payload if records else {}


def tell(
    *, incident: Incident, payload: Mapping[str, Any], by: User, now: dt.datetime, lines: Sequence[Line]
) -> Incident:
    """Records these keys as said by a person, with their lines in the timeline. Call it inside a transaction."""
    record_fact(
        team=incident.team,
        kind="incident",
        payload={"id": incident.external_id, **payload},
        received_at=now,
        origin=FactOrigin.PERSON,
        source=incident.source,
        actor=by,
    )
    write_lines(incident=incident, lines=lines, by=by, now=now)
    announce(incident)
    return Incident.objects.select_related("team", "environment").get(pk=incident.pk)


def write_lines(*, incident: Incident, lines: Sequence[Line], by: User | None, now: dt.datetime) -> None:
    """Adds lines to the incident's timeline, at `now`, in this order."""
    TimelineEntry.objects.bulk_create(
        [
            TimelineEntry(
                incident=incident, at=now, kind=line.kind, text=line.text, actor=by, change=line.change, data=dict(line.data)
            )
            for line in lines
        ]
    )  # fmt: skip


def announce(*incidents: Incident) -> None:
    """Tells the room above that these incidents are not what they were: its watchers now, everybody after commit.

    Call it inside the transaction, after the last write.
    """
    incidents_move(incidents)
    for incident_id in [incident.pk for incident in incidents]:
        transaction.on_commit(partial(incident_changed.send, sender=Incident, incident_id=incident_id))
