"""Past incidents from a table: what importing would do, and doing it. Importing twice is the same as once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from deploys.actions.facts import NewFact, identity_of, record_facts, records_of
from deploys.domain.instants import optional_instant
from deploys.models import FactOrigin, Service, Team, User
from incidents.formats.incident_table import ReadRow
from incidents.models import Incident, TimelineEntry

SOURCE: Final = "table"
CHUNK: Final = 500
Kind = TimelineEntry.Kind


@dataclass(frozen=True, slots=True)
class Outcome:
    """What importing does, or did: rows that make an incident, change one, say nothing new, and those that are refused."""

    new: Sequence[ReadRow]
    changed: Sequence[ReadRow]
    known: Sequence[ReadRow]
    refused: Sequence[ReadRow]
    new_services: Sequence[str]

    @property
    def taken_count(self) -> int:
        """How many rows something would be written for."""
        return len(self.new) + len(self.changed)


def weigh_rows(*, team: Team, rows: Sequence[ReadRow], now: dt.datetime) -> Outcome:
    """The dry run: writes nothing. Rows whose times have not come yet are refused. Two queries for each 500 rows."""
    checked = [_not_ahead(row, now) for row in rows]
    good = [row for row in checked if not row.problems]
    told: dict[str, Mapping[str, Any]] = {}  # Any: JSON
    for start in range(0, len(good), CHUNK):
        names = [identity_of("incident", SOURCE, row.payload) for row in good[start : start + CHUNK]]
        told |= {record.identity: record.payload for record in records_of(team=team, kind="incident", identities=names)}
    new, changed, known = [], [], []
    for row in good:
        before = told.get(identity_of("incident", SOURCE, row.payload))
        if before is None:
            new.append(row)
        elif all(before.get(key) == value for key, value in row.payload.items()):
            known.append(row)
        else:
            changed.append(row)
    named = {name for row in (*new, *changed) for name in row.payload["services"]}
    ours = set(Service.objects.filter(team=team).values_list("name", flat=True))
    refused = [row for row in checked if row.problems]
    return Outcome(new, changed, known, refused, sorted(named - ours))


def _not_ahead(row: ReadRow, now: dt.datetime) -> ReadRow:
    late = [
        key.removesuffix("_at")
        for key, value in row.payload.items()
        if key.endswith("_at") and (at := optional_instant(value)) is not None and at > now
    ]
    return ReadRow(row.line, {}, problems=tuple(f"{name} has not come yet" for name in late)) if late else row


def import_rows(*, team: Team, rows: Sequence[ReadRow], by: User, now: dt.datetime) -> Outcome:
    """Writes what the dry run would, in pieces of 500, each of them whole; a broken import goes on where it ended.

    The rows are that person's word: the machine moves none of it, and nobody is told of what is past. What is over is closed.
    """
    outcome = weigh_rows(team=team, rows=rows, now=now)
    fresh = {row.payload["id"] for row in outcome.new}
    work = sorted((*outcome.new, *outcome.changed), key=_begin)
    for start in range(0, len(work), CHUNK):
        with transaction.atomic():
            _write(team, work[start : start + CHUNK], fresh, by, now)
    return outcome


def _begin(row: ReadRow) -> str:
    return str(row.payload.get("started_at") or row.payload.get("detected_at"))


def _write(team: Team, rows: Sequence[ReadRow], fresh: set[str], by: User, now: dt.datetime) -> None:
    record_facts(
        team=team,
        facts=[
            NewFact(
                kind="incident", payload=dict(row.payload), received_at=now, source=SOURCE, origin=FactOrigin.PERSON, actor=by
            )
            for row in rows
        ],
    )  # fmt: skip
    found = {
        incident.external_id: incident
        for incident in Incident.objects.filter(
            team=team, source=SOURCE, external_id__in=[row.payload["id"] for row in rows]
        )
    }
    entries: list[TimelineEntry] = []
    closed: list[Incident] = []
    for row in rows:
        incident = found[row.payload["id"]]
        incident.severity = row.severity or incident.severity
        incident.closed_at = incident.closed_at or incident.restored_at
        closed.append(incident)
        if row.payload["id"] in fresh:
            text = "Taken from a table of past incidents."
            entries.append(TimelineEntry(incident=incident, at=now, kind=Kind.OPENED, text=text, actor=by))
            if row.note:
                note = {"incident": incident, "at": now, "kind": Kind.NOTE, "text": row.note, "actor": by}
                entries.append(TimelineEntry(**note))
    Incident.objects.bulk_update(closed, ["severity", "closed_at"], batch_size=100)
    TimelineEntry.objects.bulk_create(entries, batch_size=CHUNK)
