"""Traffic counts: how many sessions or requests there were, the denominator of errors; and what clients lost."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from deploys.actions.catalog import environments_by_name
from deploys.actions.upserts import add_up
from deploys.domain.instants import floor_hour
from deploys.models import Service
from incidents.actions.cardinality import MOST_ENVIRONMENTS, NAMES, OTHERS
from incidents.actions.watching import end_unwatched
from incidents.models import IngestCount, LossCount, TrafficCount

LIVE_SECONDS = 60.0
CHUNK = 200


class LiveCountsExist(ValueError):
    """A line to import names an interval for which this instance has counted itself."""


@dataclass(frozen=True, slots=True)
class TrafficLine:
    """`count` sessions or requests began in [at, at + seconds); `failed` of them failed, None where nobody measured."""

    at: dt.datetime
    seconds: float
    count: int
    failed: int | None = None
    environment: str = "production"
    release: str = ""

    @property
    def identity(self) -> tuple[str, str, dt.datetime]:
        return self.environment.lower(), self.release, self.at


@transaction.atomic
def record_sessions(
    *,
    service: Service,
    lines: Sequence[TrafficLine],
    received_at: dt.datetime | None,
    origin: str = TrafficCount.Origin.LIVE,
) -> int:
    """Records traffic of one service; how many rows were written.

    Live lines are increments and add up, in one row for every hour of receipt, so that a count as of then can be told.
    Imported lines state totals: each replaces an earlier one of its identity that was received at the same instant, and
    stands beside those received at others. Raises LiveCountsExist where the instance has counted by itself.
    """
    if not lines:
        return 0
    if origin == TrafficCount.Origin.LIVE:
        if received_at is None:
            raise ValueError("live counts are received at some instant")
        return _add_live(service, lines, received_at)
    return _replace(service, lines, received_at, origin)


def _add_live(service: Service, lines: Sequence[TrafficLine], received_at: dt.datetime) -> int:
    if service.is_unwatched:
        end_unwatched(service=service, at=min(line.at for line in lines), now=received_at)
    names = {line.environment for line in lines}
    environments = environments_by_name(team=service.team, names=names, now=received_at, most=MOST_ENVIRONMENTS)
    kind = (service, "release")
    releases = NAMES.kept({kind: {line.release[:250] for line in lines}})[kind]
    hour = floor_hour(received_at)
    sums: dict[tuple[int, str, dt.datetime], list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        minute = line.at.replace(second=0, microsecond=0)
        release = line.release[:250] if line.release[:250] in releases else OTHERS
        total = sums[environments[line.environment].pk, release, minute]
        total[0] += line.count
        total[1] += line.failed or 0
    add_up(
        model=TrafficCount,
        keys=["service", "environment", "release", "at", "origin", "received_at", "seconds"],
        counters=["count", "failed"],
        rows=[
            (service.pk, environment, release, at, TrafficCount.Origin.LIVE, hour, LIVE_SECONDS, *total)
            for (environment, release, at), total in sums.items()
        ],
    )
    return len(sums)


def _replace(service: Service, lines: Sequence[TrafficLine], received_at: dt.datetime | None, origin: str) -> int:
    latest = {line.identity: line for line in lines}
    now = received_at or max(line.at for line in lines)
    names = {line.environment for line in latest.values()}
    environments = environments_by_name(team=service.team, names=names, now=now)
    values = list(latest.values())
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        known = TrafficCount.objects.filter(service=service, at__in={line.at for line in chunk})
        wanted = {(environments[line.environment].pk, line.release[:250], line.at) for line in chunk}
        if any(
            (row.environment_id, row.release, row.at) in wanted for row in known.filter(origin=TrafficCount.Origin.LIVE)
        ):
            raise LiveCountsExist("this instance has counted some of these sessions itself")
        # equal instants of receipt also when both are unknown, which a unique key would not see
        same = [
            row.pk
            for row in known.filter(received_at=received_at)
            if (row.environment_id, row.release, row.at) in wanted
        ]
        TrafficCount.objects.filter(pk__in=same).delete()
        TrafficCount.objects.bulk_create(
            [
                TrafficCount(
                    service=service,
                    environment=environments[line.environment],
                    release=line.release[:250],
                    at=line.at,
                    seconds=line.seconds,
                    count=line.count,
                    failed=line.failed,
                    origin=origin,
                    received_at=received_at,
                )
                for line in chunk
            ]
        )
    return len(values)


def record_losses(*, service: Service, losses: Sequence[tuple[dt.datetime, str, str, int]]) -> None:
    """Adds what a client says it threw away: (instant, reason, category, quantity), by hour."""
    sums: dict[tuple[dt.datetime, str, str], int] = defaultdict(int)
    for at, reason, category, quantity in losses:
        sums[floor_hour(at), reason[:60], category[:60]] += quantity
    add_up(
        model=LossCount,
        keys=["service", "hour_at", "reason", "category"],
        counters=["quantity"],
        rows=[(service.pk, *key, quantity) for key, quantity in sums.items()],
    )


def record_outcomes(*, service: Service, outcomes: Sequence[tuple[str, str, int]], received_at: dt.datetime) -> None:
    """Adds what became of received items: (kind of item, outcome, quantity), in the hour of receipt."""
    hour = floor_hour(received_at)
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for item, outcome, quantity in outcomes:
        sums[item[:40], outcome[:40]] += quantity
    add_up(
        model=IngestCount,
        keys=["service", "hour_at", "item", "outcome"],
        counters=["quantity"],
        rows=[(service.pk, hour, *key, quantity) for key, quantity in sums.items()],
    )
