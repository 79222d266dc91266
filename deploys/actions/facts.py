"""The fact log: the one way in for everything that enters a number."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from django.db import connection, transaction

from deploys.actions.inserts import insert_rows
from deploys.domain.records import fold
from deploys.domain.web_addresses import without_userinfo
from deploys.models import Fact, FactOrigin, Team, User
from deploys.ports import Record, projector_of
from deploys.queries.prepared import PreparedRows

HISTORY = "history"
#: Kinds whose projection must come first, because others refer to them.
ORDER = ("history", "service", "deploy", "change", "flag", "maintenance", "monitoring_gap", "objective", "incident")
CHUNK = 500
COLUMNS: Final = ("team", "kind", "identity", "received_at", "origin", "actor", "source", "delivery_id", "payload")
ATTRIBUTES: Final = [Fact._meta.get_field(name).attname for name in COLUMNS]  # type: ignore[union-attr]  # all are columns
EVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_facts: Final = PreparedRows(
    lambda team, kind, names: Fact.objects.filter(team=team, kind=kind, identity__among=names),
    team=-101, kind="(kind)", names=["(name)"],
)  # fmt: skip
_encoded: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Held: TypeAlias = Mapping[str, Sequence[Fact]]
"""Facts by the identity of their record, each list in order."""


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact about to be recorded. `payload` holds the changed keys, in the history format's words."""

    kind: str
    payload: Mapping[str, Any]
    received_at: dt.datetime | None
    source: str = HISTORY
    delivery_id: str | None = None
    origin: str = FactOrigin.LIVE
    actor: User | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a fact: it was new, or its delivery was known already; and the record as it now stands."""

    identity: str
    is_duplicate: bool
    is_first: bool
    payload: Mapping[str, Any]


def identity_of(kind: str, source: str, payload: Mapping[str, Any]) -> str:
    """The name of the record inside (team, kind), as a JSON list of its key parts.

    A deploy's id is unique within (source, service); one of a history, within the history. Flag changes, incidents,
    maintenance slots and gaps are unique within their source; services, commits, objectives and flags within the team.
    Raises KeyError when a key part is missing.
    """
    match kind:
        case "history":
            parts = [HISTORY]
        case "service":
            parts = [payload["service"]]
        case "deploy":
            parts = [source, payload["id"]] if source == HISTORY else [source, payload["service"], payload["id"]]
        case "change":
            return identity_of_commit(str(payload["sha"]))
        case "flag" if payload.get("id") is not None:
            parts = ["change", source, payload["id"]]
        case "flag":
            parts = ["flag", payload["key"], str(payload.get("environment") or "production")]
        case "objective":
            parts = [payload["id"]]
        case _:
            parts = [source, payload["id"]]
    return _encoded([str(part) for part in parts])


def identity_of_commit(sha: str) -> str:
    """The name of a commit's record."""
    return f'["{sha}"]' if sha.isalnum() and sha.isascii() else _encoded([sha])


def storable(value: Any) -> Any:  # Any: JSON
    """JSON that both databases keep alike: no NUL and no lone surrogate in any text."""
    kind = type(value)  # exact types first: fifty commits have hundreds of values, and asking for a Mapping is dear
    if kind is str:
        if value.isascii() and "\x00" not in value:  # nearly all
            return value
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if kind is dict or isinstance(value, Mapping):
        return {storable(str(key)): storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    return storable(str(value)) if isinstance(value, str) else value


def _kept(fact: NewFact) -> Any:  # Any: JSON
    """What is written of a fact: a deploy's address without name and password, which the log would keep for ever."""
    payload = storable(fact.payload)
    if fact.kind == "deploy" and isinstance(payload.get("url"), str):
        payload["url"] = without_userinfo(payload["url"])
    return payload


def record_fact(
    *,
    team: Team,
    kind: str,
    payload: Mapping[str, Any],
    received_at: dt.datetime | None,
    origin: str,
    source: str = HISTORY,
    actor: User | None = None,
    delivery_id: str | None = None,
    held: Held | None = None,
) -> Recorded:
    """Records one fact and brings its model row up to date. Idempotent by (team, source, kind, delivery_id).

    `held`: see `record_facts`.
    """
    fact = NewFact(
        kind=kind,
        payload=payload,
        received_at=received_at,
        source=source,
        delivery_id=delivery_id,
        origin=origin,
        actor=actor,
    )
    return record_facts(team=team, facts=[fact], held=held)[0]


@transaction.atomic
def record_facts(*, team: Team, facts: Sequence[NewFact], held: Held | None = None) -> list[Recorded]:
    """Records many facts in the order given, in one transaction, each kind projected once. One answer per fact.

    `held` are the facts of these records (`facts_of_records`) that the caller has read since it locked the team, where all
    facts are of one kind; without, they are read here.
    """
    lock_team(team)
    known = _known_deliveries(team, facts)
    rows: list[Fact] = []
    answers: list[tuple[str, str, bool]] = []
    for fact in facts:
        identity = identity_of(fact.kind, fact.source, fact.payload)
        key = (fact.source, fact.kind, fact.delivery_id)
        is_duplicate = fact.delivery_id is not None and key in known
        answers.append((fact.kind, identity, is_duplicate))
        if is_duplicate:
            continue
        known.add(key)
        rows.append(
            Fact(
                team=team, kind=fact.kind, identity=identity, received_at=fact.received_at, origin=fact.origin, actor=fact.actor,
                source=fact.source, delivery_id=fact.delivery_id, payload=_kept(fact),
            )
        )  # fmt: skip
    touched: dict[str, dict[str, None]] = defaultdict(dict)
    for kind, identity, _ in answers:
        touched[kind][identity] = None
    before: dict[str, Held] = {
        kind: facts_of_records(team=team, kind=kind, identities=list(names)) if held is None else held
        for kind, names in touched.items()
    }
    existing = {(kind, name) for kind, names in touched.items() for name in names if before[kind].get(name)}
    keys = insert_rows(Fact, COLUMNS, [[getattr(row, name) for name in ATTRIBUTES] for row in rows])
    for row, pk in zip(rows, keys, strict=True):
        row.pk = pk
    records = {kind: _folded(kind, touched[kind], before[kind], rows) for kind in ORDER if touched.get(kind)}
    fresh = {(row.kind, row.identity) for row in rows}
    for kind, folded in records.items():
        changed = [record for record in folded if (kind, record.identity) in fresh]
        if changed:
            projector_of(kind)(team, changed)
    payloads = {(kind, record.identity): record.payload for kind, folded in records.items() for record in folded}
    return [
        Recorded(
            identity=identity,
            is_duplicate=duplicate,
            is_first=(kind, identity) not in existing,
            payload=payloads.get((kind, identity), {}),
        )
        for kind, identity, duplicate in answers
    ]


def lock_team(team: Team) -> None:
    """Until the transaction ends, nobody else records facts of this team: a fold reads, decides and writes.

    SQLite has one writer at a time anyway: nothing is asked there. Rows that point to the team may still be inserted
    (FOR NO KEY UPDATE).
    """
    if connection.features.has_select_for_update:
        Team.objects.select_for_update(no_key=True).values_list("pk").get(pk=team.pk)


def _known_deliveries(team: Team, facts: Iterable[NewFact]) -> set[tuple[str, str, str | None]]:
    """Which of these deliveries were recorded before."""
    ids = [fact.delivery_id for fact in facts if fact.delivery_id is not None]
    known: set[tuple[str, str, str | None]] = set()
    for start in range(0, len(ids), CHUNK):
        rows = Fact.objects.filter(team=team, delivery_id__in=ids[start : start + CHUNK])
        known.update(rows.values_list("source", "kind", "delivery_id"))
    return known


def _folded(kind: str, identities: Iterable[str], before: Held, rows: Iterable[Fact]) -> list[Record]:
    """Records made of the facts that were there and of these rows. Ties go by arrival: the sort is stable."""
    facts = {identity: list(before.get(identity, ())) for identity in identities}
    for row in rows:
        if row.kind == kind:
            facts[row.identity].append(row)
    for told in facts.values():
        told.sort(key=_arrival)
    return [folded_record(kind, identity, told) for identity, told in facts.items() if told]


def _arrival(fact: Fact) -> tuple[bool, dt.datetime, int]:
    """What facts of one record are ordered by; what is known since ever comes first."""
    return fact.received_at is not None, fact.received_at or EVER, fact.pk


def facts_of_records(*, team: Team, kind: str, identities: Sequence[str]) -> dict[str, list[Fact]]:
    """The facts of these records of one kind, by identity, each list in order. One query.

    Put in order here: asked to do it, SQLite walks through all facts of the team in the order of their arrival.
    """
    facts: dict[str, list[Fact]] = defaultdict(list)
    for row in _facts(team=team.pk, kind=kind, names=list(identities)):
        facts[row.identity].append(row)
    for told in facts.values():
        told.sort(key=_arrival)
    return dict(facts)


def records_of(*, team: Team, kind: str, identities: Sequence[str]) -> list[Record]:
    """These records of one kind, folded from all their facts, in the order of `identities`."""
    facts = facts_of_records(team=team, kind=kind, identities=identities)
    return [folded_record(kind, identity, facts[identity]) for identity in identities if identity in facts]


def folded_record(kind: str, identity: str, facts: Sequence[Fact]) -> Record:
    """The record made of its facts, given in order."""
    last_word: dict[str, str] = {}
    for fact in facts:
        last_word.update(dict.fromkeys(fact.payload, fact.origin))
    return Record(
        kind=kind,
        identity=identity,
        source=facts[0].source,
        payload=fold(kind, [fact.payload for fact in facts]),
        facts=[(fact.received_at, fact.origin, fact.payload) for fact in facts],
        person_keys=frozenset(key for key, origin in last_word.items() if origin == FactOrigin.PERSON),
    )
