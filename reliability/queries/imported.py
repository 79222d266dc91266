"""What of a history file a team has already."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from deploys.domain.instants import instant_text, parse_instant
from deploys.domain.records import Fact, Payload, Record, fold_all
from deploys.models import Team
from incidents.models import Check, ErrorEvent, TrafficCount
from reliability.formats.history import checked_payload
from reliability.queries.facts import HISTORY, known_facts

CHUNK: Final = 500
OF_THE_TEAM: Final = frozenset({"history", "service", "change", "flag", "objective"})
"""Kinds whose records are one per team, whoever told of them; the others are one per source."""

LineKey = tuple[str, str, datetime | None, str]
TrafficKey = tuple[str, str, str, str]


class TeamLog:
    """The fact log of a team as an importer sees it. Reads the whole log once, evidence only where asked."""

    def __init__(self, team: Team) -> None:
        self.team = team
        facts = known_facts(team=team)
        self._records = fold_all(fact for fact in facts if fact.source == HISTORY or fact.kind in OF_THE_TEAM)
        self._copies = Counter(_line_key(fact, checked_payload(fact.kind, fact.payload)) for fact in facts)
        self._deliveries = {(fact.kind, fact.delivery_id) for fact in facts if fact.source == HISTORY}
        self._evidence: dict[str, set[str]] = {"error": set(), "probe": set()}
        self._traffic: dict[tuple[TrafficKey, datetime | None], str] = {}
        self.counted_live: set[TrafficKey] = set()

    def look_up_evidence(self, facts: Iterable[Fact]) -> None:
        """Notes which of these errors, probes and session counts are stored; a query for each 500 of a service."""
        by_service: dict[tuple[str, str], list[Payload]] = {}
        for fact in facts:
            by_service.setdefault((fact.kind, str(fact.payload["service"])), []).append(fact.payload)
        for (kind, service), payloads in by_service.items():
            for start in range(0, len(payloads), CHUNK):
                self._look_up(kind, service, payloads[start : start + CHUNK])

    def record(self, kind: str, identity: str) -> Record | None:
        """The record that earlier facts made, if any."""
        return self._records.of(kind).get(identity)

    def holds(self, facts: Sequence[Fact]) -> bool:
        """Whether a line of these facts was imported before. Each earlier copy answers for one line."""
        first = facts[0]
        if first.kind in self._evidence:
            return _evidence_key(first.kind, first.payload) in self._evidence[first.kind]
        if first.kind == "sessions":
            return self._traffic.get((traffic_key(first.payload), first.received_at)) == _counts(first.payload)
        if any(fact.delivery_id is not None and (fact.kind, fact.delivery_id) in self._deliveries for fact in facts):
            return True
        keys = [_line_key(fact, fact.payload) for fact in facts]
        if not all(self._copies[key] > 0 for key in keys):
            return False
        self._copies.subtract(keys)
        return True

    def _look_up(self, kind: str, service: str, payloads: Sequence[Payload]) -> None:
        if kind == "error":
            ids = [str(payload["event_id"]) for payload in payloads]
            rows = ErrorEvent.objects.filter(service__team=self.team, service__name=service, event_id__in=ids)
            self._evidence["error"].update(f"{service} {name}" for name in rows.values_list("event_id", flat=True))
            return
        moments = [parse_instant(payload["at"]) for payload in payloads]
        if kind == "probe":
            checks = Check.objects.filter(
                service__team=self.team, service__name=service, source=HISTORY, at__in=moments
            ).values_list("environment__name", "at")
            self._evidence["probe"].update(f"{service} {name.lower()} {instant_text(at)}" for name, at in checks)
            return
        counts = TrafficCount.objects.filter(service__team=self.team, service__name=service, at__in=moments)
        for row in counts.select_related("environment").order_by("id"):
            key = (service, row.environment.name.lower(), row.release, instant_text(row.at))
            if row.origin == TrafficCount.Origin.LIVE:
                self.counted_live.add(key)
            else:
                values = {"seconds": row.seconds, "count": row.count, "failed": row.failed}
                self._traffic[key, row.received_at] = _counts(values)


def traffic_key(payload: Payload) -> TrafficKey:
    """What a sessions line is about, spelled alike however its sender spells the environment."""
    environment, release = str(payload["environment"]).lower(), str(payload.get("release") or "")
    return str(payload["service"]), environment, release[:250], instant_text(parse_instant(payload["at"]))


def _evidence_key(kind: str, payload: Payload) -> str:
    if kind == "error":
        return f"{payload['service']} {payload['event_id']}"
    environment = str(payload.get("environment") or "production").lower()
    return f"{payload['service']} {environment} {payload['at']}"


def _counts(values: Mapping[str, object]) -> str:
    seconds = values["seconds"]
    return json.dumps(
        [float(seconds) if isinstance(seconds, int | float) else 0, values["count"], values.get("failed")]
    )


def _line_key(fact: Fact, payload: Payload) -> LineKey:
    return fact.kind, fact.identity, fact.received_at, json.dumps(payload, sort_keys=True)
