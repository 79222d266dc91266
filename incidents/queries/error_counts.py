"""Errors over time, from counts in five minutes; never from events."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Sum

from incidents.models import IssueCount

BUCKET = dt.timedelta(minutes=5)
DAY = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ReleaseSeries:
    """Errors of one release per bucket, the first bucket at the window's start."""

    release: str
    counts: tuple[int, ...]


def floor_bucket(at: dt.datetime) -> dt.datetime:
    """The start of the five minutes that contain `at`."""
    return at - dt.timedelta(seconds=at.timestamp() % BUCKET.total_seconds())


def errors_by_release(
    *,
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    step: dt.timedelta = BUCKET,
    issues: Collection[int] = (),
    services: Collection[int] = (),
    environment_id: int | None = None,
) -> list[ReleaseSeries]:
    """Errors in [begins_at, ends_at) by release, of these issues, or of these services. One query.

    `begins_at` lies on a bucket and `step` is a whole number of buckets. Without issues and services: nothing.
    """
    if not issues and not services:
        return []
    rows = IssueCount.objects.filter(bucket_at__gte=begins_at, bucket_at__lt=ends_at)
    rows = (
        rows.filter(issue__in=issues) if issues else rows.filter(issue__service__in=services, issue__merged_into=None)
    )
    if environment_id is not None:
        rows = rows.filter(environment=environment_id)
    buckets = max(1, -(-(ends_at - begins_at) // step))
    series: dict[str, list[int]] = defaultdict(lambda: [0] * buckets)
    totals = rows.values("release", "bucket_at").annotate(total=Sum("count"))
    for release, bucket_at, total in totals.values_list("release", "bucket_at", "total"):
        series[release][(bucket_at - begins_at) // step] += total
    return [ReleaseSeries(release=release, counts=tuple(counts)) for release, counts in sorted(series.items())]


def errors_between(
    *, issues: Collection[int], begins_at: dt.datetime, ends_at: dt.datetime, environment_id: int
) -> int:
    """Errors of these issues in the buckets that begin in [begins_at, ends_at), in one environment. One query."""
    rows = IssueCount.objects.filter(
        issue__in=issues, environment=environment_id, bucket_at__gte=begins_at, bucket_at__lt=ends_at
    )
    return int(rows.aggregate(total=Sum("count"))["total"] or 0)


def hourly_counts(*, issues: Collection[int], now: dt.datetime) -> dict[int, list[int]]:
    """Errors of each issue in the 24 hours before `now`, by hour, oldest first. One query; all zero where none."""
    begins_at = floor_bucket(now) + BUCKET - DAY
    found = {issue: [0] * 24 for issue in issues}
    if not found:
        return found
    rows = IssueCount.objects.filter(issue__in=found, bucket_at__gte=begins_at, bucket_at__lt=now)
    for issue, bucket_at, total in (
        rows.values("issue", "bucket_at").annotate(total=Sum("count")).values_list("issue", "bucket_at", "total")
    ):
        found[issue][int((bucket_at - begins_at).total_seconds() // 3600)] += total
    return found
