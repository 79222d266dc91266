"""Results of probes: is a service up, seen from outside."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from deploys.actions.catalog import environments_by_name
from deploys.models import Service
from incidents.actions.watching import end_unwatched
from incidents.models import Check, CheckWatch

CHUNK = 500


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One probe at `at`. `status` is the HTTP status, None without an answer; `problem` says in words what failed."""

    at: dt.datetime
    ok: bool
    environment: str = "production"
    status: int | None = None
    latency_ms: float | None = None
    problem: str = ""


def record_check(*, service: Service, source: str, result: CheckResult, received_at: dt.datetime | None) -> bool:
    """Records one probe; False when this (environment, source, instant) was known already."""
    return record_checks(service=service, source=source, results=[result], received_at=received_at) == 1


def record_checks(
    *,
    service: Service,
    source: str,
    results: Sequence[CheckResult],
    received_at: dt.datetime | Sequence[dt.datetime] | None,
    is_evidence_only: bool = False,
) -> int:
    """Records probes of one service and source; how many were new. The first report of an instant stands.

    Evidence only (an import) wakes no detection.

    `source` is the monitor's public id, or `history`. `received_at` is one instant for all (None: known since ever), or
    one for each.
    """
    if not results:
        return 0
    instants = list(received_at) if isinstance(received_at, Sequence) else [received_at] * len(results)
    now = max((moment for moment in instants if moment is not None), default=results[-1].at)
    names = {result.environment for result in results}
    environments = environments_by_name(team=service.team, names=names, now=now)
    before = Check.objects.filter(service=service, source=source)
    stored: list[Check] = []
    pairs = list(zip(results, instants, strict=True))
    for start in range(0, len(pairs), CHUNK):
        chunk = pairs[start : start + CHUNK]
        known = set(before.filter(at__in={result.at for result, _ in chunk}).values_list("environment_id", "at"))
        fresh: dict[tuple[int, dt.datetime], Check] = {}
        for result, moment in chunk:
            key = (environments[result.environment].pk, result.at)
            if key not in known:
                fresh.setdefault(key, _row(service, source, key[0], result, moment))
        Check.objects.bulk_create(fresh.values(), ignore_conflicts=True)
        stored += fresh.values()
    if not is_evidence_only:
        note_checks(stored)
    if service.is_unwatched:
        end_unwatched(service=service, at=min(result.at for result in results), now=now)
    return len(stored)


def note_checks(rows: Sequence[Check]) -> None:
    """Tells detection of failed checks, and of every check of a service that is down. One query when all is well."""
    by_place: dict[tuple[int, int], list[Check]] = defaultdict(list)
    for row in rows:
        by_place[row.service_id, row.environment_id].append(row)
    for (service, environment), checks in by_place.items():
        first = min(check.at for check in checks)
        failed = [check.at for check in checks if not check.ok]
        watch = CheckWatch.objects.filter(service=service, environment=environment)
        if failed:
            CheckWatch.objects.bulk_create(
                [CheckWatch(service_id=service, environment_id=environment)], ignore_conflicts=True
            )
            watch.filter(Q(dirty_since__isnull=True) | Q(dirty_since__gt=min(failed))).update(dirty_since=min(failed))
        else:
            later = Q(dirty_since__isnull=True) | Q(dirty_since__gt=first)
            watch.filter(later, is_down=True).update(dirty_since=first)


def _row(
    service: Service, source: str, environment: int, result: CheckResult, received_at: dt.datetime | None
) -> Check:
    return Check(
        service=service,
        environment_id=environment,
        source=source,
        at=result.at,
        received_at=received_at,
        ok=result.ok,
        status=result.status,
        latency_ms=result.latency_ms,
        problem=result.problem[:200],
    )
