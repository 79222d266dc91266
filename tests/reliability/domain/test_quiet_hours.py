"""Hours in which a channel makes no noise, also over midnight and where clocks are put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.quiet_hours import QuietHours

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7), BERLIN)
EARLIEST, LATEST = datetime(2020, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001 -- hypothesis adds the zone
NOON = QuietHours(time(12), time(13, 30), BERLIN)


@pytest.mark.parametrize(
    ("hours", "local", "until"),
    [
        (NIGHT, "2026-03-04T21:59", None),
        (NIGHT, "2026-03-04T22:00", "2026-03-05T07:00"),
        (NIGHT, "2026-03-05T06:59", "2026-03-05T07:00"),
        (NIGHT, "2026-03-05T07:00", None),
        (NOON, "2026-03-04T12:00", "2026-03-04T13:30"),
        (NOON, "2026-03-04T13:30", None),
        (NIGHT, "2026-03-28T23:00", "2026-03-29T07:00"),  # an hour shorter
        (NIGHT, "2026-10-24T23:00", "2026-10-25T07:00"),  # an hour longer
        (QuietHours(time(9), time(9), BERLIN), "2026-03-04T09:00", None),
    ],
)
def test_quiet_lasts_until_its_end_on_the_clock_there(hours: QuietHours, local: str, until: str | None) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=BERLIN)

    assert hours.quiet_until(at.astimezone(UTC)) == (
        datetime.fromisoformat(until).replace(tzinfo=BERLIN) if until else None
    )


def test_the_hour_that_comes_twice_ends_the_second_time() -> None:
    hours = QuietHours(time(1), time(2, 30), BERLIN)
    second = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 2:15 for the second time

    assert hours.quiet_until(second) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@given(
    begins=st.times(), ends=st.times(), zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
    at=st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)),
)  # fmt: skip
def test_quiet_ends_later_and_within_a_day_and_an_hour(begins: time, ends: time, zone: str, at: datetime) -> None:
    until = QuietHours(begins, ends, ZoneInfo(zone)).quiet_until(at)

    assert until is None or timedelta(0) < until - at <= timedelta(hours=25)
