"""Instants as numbers, from the database."""

from __future__ import annotations

import datetime as dt

import pytest

from deploys.models import ScheduledJob
from deploys.queries.epoch import MICROSECONDS, EpochMicroseconds

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.mark.parametrize(
    "at",
    [
        dt.datetime(2026, 3, 4, 12, 0, 0, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 4, 12, 0, 0, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 4, 12, 0, 0, 100_000, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
        dt.datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=dt.UTC),
        dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
        dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
    ],
)
def test_an_instant_is_told_to_the_microsecond(at: dt.datetime) -> None:
    ScheduledJob.objects.create(name="epoch", period_seconds=1, due_at=at)

    [micros] = ScheduledJob.objects.filter(name="epoch").values_list(EpochMicroseconds("due_at"), flat=True)

    assert micros / MICROSECONDS == at.timestamp()


def test_no_instant_is_no_number() -> None:
    ScheduledJob.objects.create(name="epoch", period_seconds=1, due_at=dt.datetime(2026, 3, 4, tzinfo=dt.UTC))

    told = ScheduledJob.objects.filter(name="epoch").values_list(EpochMicroseconds("last_started_at"), flat=True)

    assert list(told) == [None]
