"""Errors over time."""

from __future__ import annotations

import datetime as dt

import pytest

from incidents.queries.error_counts import ReleaseSeries, errors_by_release, floor_bucket, hourly_counts
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.incidents import IssueCountFactory, IssueFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]
FIVE = dt.timedelta(minutes=5)


def test_errors_by_release_fill_buckets() -> None:
    issue, other = IssueFactory(), IssueFactory()
    for place, count in ((0, 2), (1, 3), (3, 5)):
        IssueCountFactory(issue=issue, bucket_at=NOON + place * FIVE, release="1", count=count)
    IssueCountFactory(issue=issue, bucket_at=NOON, release="1", host="web-2", count=10)
    IssueCountFactory(issue=issue, bucket_at=NOON + 3 * FIVE, release="2", count=1)
    IssueCountFactory(issue=issue, bucket_at=NOON + 4 * FIVE, release="2", count=99)
    IssueCountFactory(issue=other, bucket_at=NOON, release="1", count=99)

    assert errors_by_release(begins_at=NOON, ends_at=NOON + 4 * FIVE, issues=[issue.pk]) == [
        ReleaseSeries("1", (12, 3, 0, 5)), ReleaseSeries("2", (0, 0, 0, 1)),
    ]  # fmt: skip
    assert errors_by_release(begins_at=NOON, ends_at=NOON + 4 * FIVE, step=2 * FIVE, issues=[issue.pk])[0].counts == (
        15,
        5,
    )


def test_errors_of_services_and_of_nothing() -> None:
    service = ServiceFactory()
    IssueCountFactory(issue=IssueFactory(service=service), count=3)

    assert errors_by_release(begins_at=NOON, ends_at=NOON + FIVE, services=[service.pk]) == [ReleaseSeries("", (3,))]
    assert errors_by_release(begins_at=NOON, ends_at=NOON + FIVE) == []


def test_hourly_counts_end_now() -> None:
    issue = IssueFactory()
    IssueCountFactory(issue=issue, bucket_at=NOON, count=1)
    IssueCountFactory(issue=issue, bucket_at=NOON - dt.timedelta(hours=1), count=2)
    IssueCountFactory(issue=issue, bucket_at=NOON - dt.timedelta(hours=24), count=9)

    counts = hourly_counts(issues=[issue.pk, 0], now=NOON + dt.timedelta(minutes=2))

    assert counts == {issue.pk: [0] * 22 + [2, 1], 0: [0] * 24}


def test_floor_bucket() -> None:
    assert floor_bucket(NOON + dt.timedelta(minutes=9, seconds=59)) == NOON + FIVE
