"""Requests that traces tell of: counted in five minutes by release, with their latencies as a sketch.

They stand beside the sessions and never add to them: a trace is sent for a sample of the requests, so its counts are no
denominator of errors. One statement makes or locks the rows in key order and adds the counts; sketches of rows that were
there are merged under that lock.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from deploys.actions.catalog import environments_by_name
from deploys.actions.upserts import add_up
from deploys.models import Service
from incidents.actions.cardinality import MOST_ENVIRONMENTS
from incidents.actions.digest import bucket_of
from incidents.domain.latency import merged, packed, sketch_of, unpacked
from incidents.formats.requests import Request
from incidents.models import RequestCount

#: Releases that one environment may tell in five minutes; the requests of more are counted under OTHERS.
MOST_RELEASES = 20
OTHERS = "(others)"
KEPT = dt.timedelta(days=90)
CHUNK = 2_000
_Key = tuple[int, dt.datetime, str]


@dataclass(slots=True)
class _Sum:
    count: int = 0
    failed: int = 0
    seconds: list[float] = field(default_factory=list)


def count_requests(*, service: Service, requests: Sequence[Request], received_at: dt.datetime) -> int:
    """Adds these requests; how many there were, copies in this call apart. Four queries, and one where rows are known."""
    once = {request.key or str(number): request for number, request in enumerate(requests)}
    if not once:
        return 0
    environments = environments_by_name(
        team=service.team,
        names={request.environment for request in once.values()},
        now=received_at,
        most=MOST_ENVIRONMENTS,
    )
    sums: dict[_Key, _Sum] = defaultdict(_Sum)
    for request in once.values():
        total = sums[environments[request.environment].pk, bucket_of(request.at), request.release]
        total.count += 1
        total.failed += request.failed
        total.seconds += [] if request.seconds is None else [request.seconds]
    _add(service, _bounded(service, sums))
    return len(once)


def _bounded(service: Service, sums: dict[_Key, _Sum]) -> dict[_Key, _Sum]:
    """With the releases beyond the limit put together: a sender that makes up releases fills no table."""
    places = {(environment, bucket) for environment, bucket, _ in sums}
    known: dict[tuple[int, dt.datetime], set[str]] = defaultdict(set)
    rows = RequestCount.objects.filter(
        service=service, environment__in={each for each, _ in places}, bucket_at__in={each for _, each in places}
    )
    for environment, bucket, release in rows.values_list("environment_id", "bucket_at", "release"):
        known[environment, bucket].add(release)
    found: dict[_Key, _Sum] = defaultdict(_Sum)
    for (environment, bucket, release), one in sorted(sums.items()):
        names = known[environment, bucket]
        if release not in names and len(names - {OTHERS}) >= MOST_RELEASES:
            total = found[environment, bucket, OTHERS]
        else:
            names.add(release)
            total = found[environment, bucket, release]
        total.count += one.count
        total.failed += one.failed
        total.seconds += one.seconds
    return found


@transaction.atomic
def _add(service: Service, sums: dict[_Key, _Sum]) -> None:
    answers = add_up(
        model=RequestCount,
        keys=["service", "environment", "bucket_at", "release"],
        counters=["count", "failed", "updates_count"],
        first=["sketch"],
        rows=[
            (service.pk, environment, bucket, release, each.count, each.failed, 1, packed(sketch_of(each.seconds)))
            for (environment, bucket, release), each in sums.items()
        ],
        returning=["id", "updates_count"],
    )
    _merge(RequestCount.objects.filter(pk__in=[pk for pk, updates in answers if updates > 1]).order_by("pk"), sums)


def _merge(rows: Iterable[RequestCount], sums: dict[_Key, _Sum]) -> None:
    changed = []
    for row in rows:
        added = sums[row.environment_id, row.bucket_at, row.release].seconds
        if added:
            row.sketch = packed(merged([unpacked(bytes(row.sketch)), sketch_of(added)]))
            changed.append(row)
    RequestCount.objects.bulk_update(changed, ["sketch"], batch_size=100)


def forget_requests(*, now: dt.datetime) -> int:
    """Deletes counts of requests older than KEPT; how many rows. In small transactions, beside running digests."""
    deleted = 0
    while True:
        ids = list(RequestCount.objects.filter(bucket_at__lt=now - KEPT).values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return deleted
        deleted += RequestCount.objects.filter(pk__in=ids).delete()[0]
