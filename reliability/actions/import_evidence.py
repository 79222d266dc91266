"""Evidence from a history file: sessions, probes and errors. Nothing is detected from it here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from django.db import transaction

from deploys.actions.catalog import environments_by_name, services_by_name
from deploys.domain.instants import parse_instant
from deploys.domain.records import Fact
from deploys.models import Environment, Service, Team
from incidents.actions.checks import CheckResult, record_checks
from incidents.actions.digest import digest_events
from incidents.models import TrafficCount
from reliability.formats.history_evidence import parsed_event
from reliability.queries.facts import HISTORY

CHUNK: Final = 500
TrafficRow: TypeAlias = tuple[int, int, str, datetime, datetime | None]


@transaction.atomic
def import_sessions(*, team: Team, facts: Sequence[Fact], now: datetime) -> None:
    """Writes imported totals. Each replaces an earlier one of its interval that was received at the same instant, and
    stands beside those received at others. The lines name no interval that this instance has counted itself.
    """
    services, environments = _named(team, facts, now)
    latest = {_key(fact, services, environments): fact for fact in facts}
    by_service: dict[int, list[TrafficRow]] = defaultdict(list)
    for key in latest:
        by_service[key[0]].append(key)
    for service, keys in by_service.items():
        wanted = set(keys)
        for start in range(0, len(keys), CHUNK):
            moments = [key[3] for key in keys[start : start + CHUNK]]
            rows = TrafficCount.objects.filter(service=service, at__in=moments, origin=TrafficCount.Origin.IMPORT)
            found = rows.values_list("pk", "service", "environment", "release", "at", "received_at")
            TrafficCount.objects.filter(pk__in=[pk for pk, *key in found if tuple(key) in wanted]).delete()
    TrafficCount.objects.bulk_create(
        [_count(fact, services, environments) for fact in latest.values()], batch_size=CHUNK
    )


def import_probes(*, team: Team, facts: Sequence[Fact], now: datetime) -> None:
    """Stores probe results as checks of the source `history`."""
    services, _ = _named(team, facts, now)
    for (name, is_dated), some in _grouped(facts).items():
        results = [check_result(fact) for fact in some]
        instants = [fact.received_at for fact in some if fact.received_at is not None]
        record_checks(
            service=services[name],
            source=HISTORY,
            results=results,
            received_at=instants if is_dated else None,
            is_evidence_only=True,
        )


def import_errors(*, team: Team, facts: Sequence[Fact], now: datetime) -> None:
    """Stores error reports with their issues and counts; they wake no detection."""
    services, _ = _named(team, facts, now)
    for (name, _), some in _grouped(facts).items():
        digest_events(
            service=services[name],
            events=[parsed_event(fact.payload) for fact in some],
            received_at=[fact.received_at or parse_instant(fact.payload["timestamp"]) for fact in some],
            is_evidence_only=True,
        )


def _grouped(facts: Iterable[Fact]) -> dict[tuple[str, bool], list[Fact]]:
    """By service, and by whether the instant of receipt is known."""
    groups: dict[tuple[str, bool], list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[str(fact.payload["service"]), fact.received_at is not None].append(fact)
    return groups


def _environment(fact: Fact) -> str:
    return str(fact.payload.get("environment") or "production")


def _named(team: Team, facts: Iterable[Fact], now: datetime) -> tuple[Mapping[str, Service], Mapping[str, Environment]]:
    services = services_by_name(team=team, names=[str(fact.payload["service"]) for fact in facts], now=now)
    return services, environments_by_name(team=team, names=[_environment(fact) for fact in facts], now=now)


def _key(fact: Fact, services: Mapping[str, Service], environments: Mapping[str, Environment]) -> TrafficRow:
    return (
        services[str(fact.payload["service"])].pk,
        environments[_environment(fact)].pk,
        str(fact.payload.get("release") or "")[:250],
        parse_instant(fact.payload["at"]),
        fact.received_at,
    )


def _count(fact: Fact, services: Mapping[str, Service], environments: Mapping[str, Environment]) -> TrafficCount:
    service, environment, release, at, received_at = _key(fact, services, environments)
    failed = fact.payload.get("failed")
    return TrafficCount(
        service_id=service,
        environment_id=environment,
        release=release,
        at=at,
        seconds=float(str(fact.payload["seconds"])),
        count=int(str(fact.payload["count"])),
        failed=None if failed is None else int(str(failed)),
        origin=TrafficCount.Origin.IMPORT,
        received_at=received_at,
    )


def check_result(fact: Fact) -> CheckResult:
    """A probe line as a check."""
    status, latency = fact.payload.get("status"), fact.payload.get("latency_ms")
    return CheckResult(
        at=parse_instant(fact.payload["at"]),
        ok=fact.payload["ok"] is True,
        environment=_environment(fact),
        status=status if isinstance(status, int) else None,
        latency_ms=latency if isinstance(latency, int | float) else None,
    )
