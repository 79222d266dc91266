"""One act on many incidents, written in a fixed number of statements, and taking it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import transaction

from deploys.actions.facts import NewFact, record_facts
from deploys.domain.instants import instant_text
from deploys.models import FactOrigin, Team, User
from incidents.actions.telling import announce
from incidents.domain.clocks import Clock
from incidents.domain.response import Severity
from incidents.models import BulkAct, Incident, TimelineEntry

MOST: Final = 200
UNDO_FOR: Final = dt.timedelta(hours=24)
Act = BulkAct.Act
Kind = TimelineEntry.Kind


class BulkRefused(ValueError):
    """An act that cannot be done or undone; the message says why."""


@transaction.atomic
def act_on_many(
    *,
    team: Team,
    numbers: Sequence[int],
    act: BulkAct.Act,
    by: User,
    now: dt.datetime,
    severity: Severity = Severity.UNSAID,
) -> BulkAct:
    """Does it to those of the incidents it means something for: only restored ones are closed. Raises BulkRefused where
    none is left, or for more than MOST.
    """
    if len(set(numbers)) > MOST:
        raise BulkRefused(f"Choose at most {MOST} at once.")
    rows = Incident.objects.select_for_update().filter(team=team, number__in=numbers).order_by("pk")
    match act:
        case Act.CLOSE:
            rows = rows.filter(closed_at=None, restored_at__isnull=False, restored_at__lte=now)
        case Act.DISMISS:
            rows = rows.filter(is_dismissed=False)
        case _:
            rows = rows.exclude(severity=severity.value)
    chosen = list(rows)
    if not chosen:
        raise BulkRefused("None of those: nothing would change. Only what is restored can be closed.")
    before = {str(row.pk): row.severity if act == Act.SEVERITY else None for row in chosen}
    match act:
        case Act.CLOSE:
            _close(chosen, now, by, now)
        case Act.DISMISS:
            _dismiss(team, chosen, is_dismissed=True, by=by, now=now)
        case _:
            _set_severity(chosen, dict.fromkeys(before, severity.value), by, now)
    return BulkAct.objects.create(team=team, act=act, by=by, at=now, before=before)


@transaction.atomic
def undo(*, bulk: BulkAct, by: User, now: dt.datetime) -> int:
    """Takes it back where nobody has said otherwise since; of how many. Raises BulkRefused where it is too late or done."""
    bulk = BulkAct.objects.select_for_update().select_related("team").get(pk=bulk.pk)
    if bulk.undone_at is not None:
        raise BulkRefused("This is taken back already.")
    if now - bulk.at > UNDO_FOR:
        raise BulkRefused("This is more than a day ago: change the incidents one by one.")
    rows = Incident.objects.select_for_update().filter(team=bulk.team, pk__in=[int(key) for key in bulk.before])
    match bulk.act:
        case Act.CLOSE:
            chosen = list(rows.filter(closed_at=bulk.at))
            _close(chosen, None, by, now)
        case Act.DISMISS:
            chosen = list(rows.filter(is_dismissed=True))
            _dismiss(bulk.team, chosen, is_dismissed=False, by=by, now=now)
        case _:
            chosen = list(rows)
            _set_severity(chosen, bulk.before, by, now)
    bulk.undone_at = now
    bulk.save(update_fields=["undone_at"])
    return len(chosen)


def _close(rows: Sequence[Incident], at: dt.datetime | None, by: User, now: dt.datetime) -> None:
    entries = []
    for row in rows:
        told = {"clock": Clock.CLOSED.value, "from": _told(row.closed_at), "to": _told(at)}
        entries.append(_entry(row, Kind.CLOCK, told, by, now))
        row.closed_at = at
    Incident.objects.bulk_update(rows, ["closed_at"])
    _write(rows, entries)


def _told(at: dt.datetime | None) -> str | None:
    return None if at is None else instant_text(at)


def _dismiss(team: Team, rows: Sequence[Incident], *, is_dismissed: bool, by: User, now: dt.datetime) -> None:
    record_facts(
        team=team,
        facts=[
            NewFact(
                kind="incident", payload={"id": row.external_id, "dismissed": is_dismissed}, received_at=now,
                source=row.source, origin=FactOrigin.PERSON, actor=by,
            )
            for row in rows
        ],
    )  # fmt: skip
    state = {"state": "dismissed" if is_dismissed else "undismissed"}
    _write(rows, [_entry(row, Kind.STATE, state, by, now) for row in rows])


def _set_severity(rows: Sequence[Incident], wanted: Mapping[str, str], by: User, now: dt.datetime) -> None:
    entries = []
    for row in rows:
        to = wanted[str(row.pk)]
        entries.append(_entry(row, Kind.STATE, {"state": "severity", "from": row.severity, "to": to}, by, now))
        row.severity = to
    Incident.objects.bulk_update(rows, ["severity"])
    _write(rows, entries)


def _entry(
    row: Incident, kind: TimelineEntry.Kind, data: dict[str, Any], by: User, now: dt.datetime
) -> TimelineEntry:  # Any: JSON
    return TimelineEntry(incident=row, at=now, kind=kind, text="", actor=by, data=data)


def _write(rows: Sequence[Incident], entries: Sequence[TimelineEntry]) -> None:
    TimelineEntry.objects.bulk_create(entries)
    announce(*rows)
