"""The fact log of a team, in the words of the history format: what the numbers are computed from and exports print.

Inside the log, records are named by source and external id, and links may name a change by its public id. Here every
record has one name: its external id, or its public id where two of a kind share the external one.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from django.db.models import F

from deploys.domain.records import Fact as DomainFact
from deploys.domain.records import flag_identity
from deploys.models import Deploy, Fact, FlagChange, Team
from incidents.models import Incident, Maintenance

HISTORY: Final = "history"
Rows: TypeAlias = Iterable[tuple[str, str, uuid.UUID]]
_LINKED: Final = {"causes", "remedies", "duplicate_of", "deploys"}


@dataclass(slots=True)
class Names:
    """The one name of each record, by (kind, identity in the log), and by (kind, public id) where it has one."""

    by_identity: dict[tuple[str, str], str] = field(default_factory=dict)
    by_public_id: dict[tuple[str, str], str] = field(default_factory=dict)


def known_facts(*, team: Team) -> list[DomainFact]:
    """The team's facts, undated first, then by received_at and arrival.

    One query for the facts, and up to four for names where something came from elsewhere than an imported history.
    """
    rows = (
        Fact.objects.filter(team=team)
        .order_by(F("received_at").asc(nulls_first=True), "id")
        .values_list("kind", "identity", "payload", "received_at", "delivery_id", "source")
    )
    facts = [fact_of_row(*row) for row in rows]
    names = _names(team, facts)
    return [named(fact, names) for fact in facts]


def fact_of_row(
    kind: str,
    identity: str,
    payload: Mapping[str, Any],  # Any: JSON
    received_at: datetime | None,
    delivery_id: str | None,
    source: str,
) -> DomainFact:
    if kind == "flag" and identity.startswith('["change"'):
        kind = "flag_change"
    return DomainFact(kind, identity, payload, received_at, delivery_id, source)


def _names(team: Team, facts: Sequence[DomainFact]) -> Names:
    names = Names()
    sharing: dict[tuple[str, str], set[str]] = defaultdict(set)
    for fact in facts:
        name = external_id(fact)
        names.by_identity[fact.kind, fact.identity] = name
        sharing[fact.kind, name].add(fact.identity)
    if all(fact.source == HISTORY for fact in facts) and not _refers_by_public_id(facts):
        return names
    for kind, rows in _PUBLIC_IDS.items():
        for identity, source, public_id in rows(team):
            name = names.by_identity.get((kind, identity), "")
            if len(sharing[kind, name]) > 1 and source != HISTORY:
                name = names.by_identity[kind, identity] = str(public_id)
            names.by_public_id[kind, str(public_id)] = name
    return names


def external_id(fact: DomainFact) -> str:
    parts = json.loads(fact.identity)
    if fact.kind == "flag":
        return flag_identity(str(parts[1]), str(parts[2]))
    return str(parts[-1])


def _refers_by_public_id(facts: Sequence[DomainFact]) -> bool:
    """Whether any link may name something by public id: a person linked it here."""
    return any(_is_uuid(name) for fact in facts for name in _references(fact.payload))


def _references(payload: Mapping[str, object]) -> Iterator[str]:
    for key in _LINKED & payload.keys():
        value = payload[key]
        items: list[object] = value if isinstance(value, list) else [value]
        for item in items:
            name = item.get("id") if isinstance(item, dict) else item
            if isinstance(name, str):
                yield name


def _is_uuid(name: str) -> bool:
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True


def named(fact: DomainFact, names: Names) -> DomainFact:
    """The fact under its one name, its links too."""
    name = names.by_identity[fact.kind, fact.identity]
    payload: dict[str, Any] = dict(fact.payload)  # Any: JSON
    if "id" in payload:
        payload["id"] = name
    if names.by_public_id:
        if payload.get("duplicate_of") is not None:
            reference = str(payload["duplicate_of"])
            payload["duplicate_of"] = names.by_public_id.get(("incident", reference), reference)
        if isinstance(payload.get("deploys"), list):
            payload["deploys"] = [names.by_public_id.get(("deploy", str(d)), d) for d in payload["deploys"]]
        for key in ("causes", "remedies"):
            if isinstance(payload.get(key), list):
                payload[key] = [_named_link(link, names) for link in payload[key]]
    return DomainFact(fact.kind, name, payload, fact.received_at, fact.delivery_id, fact.source)


def _named_link(link: dict[str, Any], names: Names) -> dict[str, Any]:  # Any: JSON
    kind = "flag_change" if link.get("kind") == "flag" else str(link.get("kind"))
    name = names.by_public_id.get((kind, str(link.get("id"))))
    return link if name is None else {**link, "id": name}


def _identity(*parts: str) -> str:
    """As the log writes it."""
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _deploys(team: Team) -> Rows:
    rows = Deploy.objects.filter(team=team).values_list("source", "service__name", "external_id", "change__public_id")
    for source, service, name, public_id in rows:
        identity = _identity(source, name) if source == HISTORY else _identity(source, service, name)
        yield identity, source, public_id


def flag_changes_by_public_id(team: Team) -> Rows:
    rows = FlagChange.objects.filter(team=team).values_list("source", "external_id", "change__public_id")
    for source, name, public_id in rows:
        yield _identity("change", source, name), source, public_id


def _incidents(team: Team) -> Rows:
    for source, name, public_id in Incident.objects.filter(team=team).values_list("source", "external_id", "public_id"):
        yield _identity(source, name), source, public_id


def _maintenances(team: Team) -> Rows:
    rows = Maintenance.objects.filter(team=team).values_list("source", "external_id", "public_id")
    for source, name, public_id in rows:
        yield _identity(source, name), source, public_id


_PUBLIC_IDS: Final[Mapping[str, Callable[[Team], Rows]]] = {
    "deploy": _deploys,
    "flag_change": flag_changes_by_public_id,
    "incident": _incidents,
    "maintenance": _maintenances,
}
