"""Facts grow into records.

A fact is one line somebody sent about one thing. All facts with the same kind and identity fold into one record,
in the order in which they were received: a later fact overrides key by key, null withdraws a value, lists are
replaced whole. Two kinds know better than their latest line: a deploy's final status is not undone by a start
message that comes late, and the deploys of a commit add up.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from deploys.domain.instants import FAR_PAST

Payload: TypeAlias = Mapping[str, object]
Record: TypeAlias = dict[str, object]

FINAL_STATUSES = ("success", "failure")
CANARY_PERCENT = "canary_percent"
"""Key that the fold adds to a deploy: the largest percent of traffic that an in_progress fact reported."""

FLAG_CHANGE_KEYS = frozenset({"id", "at", "new_percent", "old_percent", "segment", "services", "delivery_id"})
"""Keys of a flag line that describe one change; the others describe the flag."""

REQUIRED = {
    "service": ("service",),
    "deploy": ("id", "service", "started_at"),
    "change": ("sha",),
    "flag": ("key",),
    "flag_change": ("id", "key", "at", "new_percent"),
    "incident": ("id", "services", "class"),
    "maintenance": ("id", "starts_at", "ends_at"),
    "monitoring_gap": ("id", "starts_at"),
    "objective": ("id", "target"),
}
"""Keys without which a record says nothing yet, by kind."""

_IDENTITY = {
    "service": "service",
    "deploy": "id",
    "change": "sha",
    "flag_change": "id",
    "incident": "id",
    "maintenance": "id",
    "monitoring_gap": "id",
    "objective": "id",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One received line about one record. Without received_at it counts as known since ever."""

    kind: str
    identity: str
    payload: Payload
    received_at: datetime | None = None
    delivery_id: str | None = None
    source: str = ""


@dataclass(slots=True)
class Records:
    """Folded records by kind and identity, each kind in the order of first mention."""

    by_kind: dict[str, dict[str, Record]] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, Record]:
        """Records of one kind by identity; empty where there are none."""
        return self.by_kind.get(kind, {})

    def complete(self, kind: str) -> dict[str, Record]:
        """Those that have every required key; a record may still lack one, or somebody may have withdrawn it."""
        required = REQUIRED.get(kind, ())
        return {
            identity: record
            for identity, record in self.of(kind).items()
            if all(record.get(key) is not None for key in required)
        }


def flag_identity(key: str, environment: str = "production") -> str:
    """Identity of a flag's description: the same key is another flag in another environment."""
    return f"{environment}/{key}"


def identity_of(kind: str, payload: Payload) -> str | None:
    """What the payload says it is about; None where it does not say.

    Kinds are those of records: a flag's description is ``flag``, one of its changes ``flag_change``.
    """
    if kind == "history":
        return "history"
    if kind == "flag":
        key, environment = payload.get("key"), payload.get("environment") or "production"
        return flag_identity(str(key), str(environment)) if key is not None else None
    value = payload.get(_IDENTITY.get(kind, ""))
    return None if value is None else str(value)


def in_arrival_order(facts: Iterable[Fact]) -> list[Fact]:
    """Undated facts first, then by received_at; ties keep the given order."""
    return sorted(facts, key=lambda fact: fact.received_at or FAR_PAST)


def known_by(facts: Iterable[Fact], as_of: datetime) -> Iterator[Fact]:
    """Those that had been received at the instant (inclusive)."""
    return (fact for fact in facts if fact.received_at is None or fact.received_at <= as_of)


def without_repeats(facts: Iterable[Fact]) -> Iterator[Fact]:
    """Drops facts whose delivery id was seen before in the same kind from the same source."""
    seen: set[tuple[str, str, str]] = set()
    for fact in facts:
        if fact.delivery_id is not None:
            key = (fact.kind, fact.source, fact.delivery_id)
            if key in seen:
                continue
            seen.add(key)
        yield fact


def grown(kind: str, record: Payload, line: Payload) -> Record:
    """The record after one more line."""
    if kind == "deploy":
        return _grown_deploy(record, line)
    if kind == "change" and isinstance(line.get("deploys"), list):
        return {**record, **line, "deploys": _union(record.get("deploys"), line["deploys"])}
    return {**record, **line}


def fold(kind: str, lines: Iterable[Payload]) -> Record:
    """One record from its lines in arrival order. Withdrawn keys stay, with the value None."""
    record: Record = {}
    for line in lines:
        record = grown(kind, record, line)
    return record


def fold_all(facts: Iterable[Fact]) -> Records:
    """All records of facts given in any order."""
    records = Records()
    for fact in without_repeats(in_arrival_order(facts)):
        of_kind = records.by_kind.setdefault(fact.kind, {})
        of_kind[fact.identity] = grown(fact.kind, of_kind.get(fact.identity, {}), fact.payload)
    return records


def _grown_deploy(record: Payload, line: Payload) -> Record:
    update = dict(line)
    status = line.get("status", record.get("status")) or "in_progress"
    if record.get("status") in FINAL_STATUSES and line.get("status") == "in_progress":
        del update["status"]
        if update.get("finished_at", 0) is None:
            del update["finished_at"]
    percent, seen = line.get("percent"), record.get(CANARY_PERCENT)
    if status == "in_progress" and isinstance(percent, int | float):
        update[CANARY_PERCENT] = max(percent, seen) if isinstance(seen, int | float) else percent
    return {**record, **update}


def _union(present: object, added: object) -> list[object]:
    items = [*(present if isinstance(present, list) else []), *(added if isinstance(added, list) else [])]
    return list(dict.fromkeys(items))
