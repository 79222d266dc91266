from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.intervals import Interval
from reliability.domain.weeks import (
    NotAPointInTime,
    UnknownZone,
    calendar_days,
    calendar_period,
    midnight,
    monday_of,
    point_in_time,
    week_label,
    week_of,
    weeks_in,
    zone_named,
)

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02", datetime(2026, 3, 1, 23, tzinfo=UTC)),
        ("2026-03-02T10:00", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("2026-03-02T10:00:00Z", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02T10:00:00-05:00", datetime(2026, 3, 2, 15, tzinfo=UTC)),
        ("1772445600", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("1772445600.5", datetime(2026, 3, 2, 10, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_points_in_time(text: str, expected: datetime) -> None:
    assert point_in_time(text, BERLIN) == expected


@pytest.mark.parametrize("text", ["", "monday", "2026-13-01", "9" * 30, "2026-02-30T00:00"])
def test_what_is_no_point_in_time(text: str) -> None:
    with pytest.raises(NotAPointInTime, match="expected a date"):
        point_in_time(text, BERLIN)


def test_zones() -> None:
    assert zone_named("Europe/Berlin") == BERLIN
    for name in ("Europe/Atlantis", "", "../etc/passwd", "Europe"):
        with pytest.raises(UnknownZone, match="expected the name of a time zone"):
            zone_named(name)


def test_weeks_have_167_or_169_hours_where_the_clocks_change() -> None:
    assert week_of(date(2026, 3, 23), BERLIN).length == 167 * HOUR
    assert week_of(date(2026, 10, 19), BERLIN).length == 169 * HOUR
    assert calendar_days(week_of(date(2026, 3, 23), BERLIN), BERLIN) == 7
    assert calendar_days(week_of(date(2026, 10, 19), BERLIN), BERLIN) == 7


def test_half_of_a_day_with_23_hours() -> None:
    start = midnight(date(2026, 3, 29), BERLIN)

    assert calendar_days(Interval(start, start + timedelta(hours=11)), BERLIN) == Fraction(11, 23)
    assert calendar_days(Interval(start, start), BERLIN) == 0


def test_a_midnight_that_is_skipped_is_the_instant_of_the_skip() -> None:
    beirut = ZoneInfo("Asia/Beirut")

    assert midnight(date(2026, 3, 29), beirut) == datetime(2026, 3, 28, 22, tzinfo=UTC)


def test_a_date_that_a_zone_left_out_has_no_length() -> None:
    apia = ZoneInfo("Pacific/Apia")
    year_end = Interval(midnight(date(2011, 12, 29), apia), midnight(date(2012, 1, 1), apia))

    assert calendar_days(year_end, apia) == 2


def test_labels_follow_the_iso_year() -> None:
    assert week_label(date(2026, 12, 28)) == "2026-W53"
    assert week_label(date(2024, 12, 30)) == "2025-W01"


def test_weeks_touched_are_clipped() -> None:
    window = Interval(datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC))

    weeks = weeks_in(window, UTC_ZONE)

    assert [(week.label, week.is_whole) for week in weeks] == [("2026-W10", False), ("2026-W11", True)]
    assert [week.interval.length for week in weeks] == [5 * 24 * HOUR, 7 * 24 * HOUR]
    assert weeks_in(Interval(window.start, window.start), UTC_ZONE) == []


@pytest.mark.parametrize(
    ("kind", "before", "start", "end"),
    [
        ("week", datetime(2026, 3, 9, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 9)),
        ("month", datetime(2026, 4, 1, tzinfo=UTC), date(2026, 3, 1), date(2026, 4, 1)),
        ("month", datetime(2026, 12, 24, tzinfo=UTC), date(2026, 12, 1), date(2027, 1, 1)),
        ("quarter", datetime(2026, 11, 20, tzinfo=UTC), date(2026, 10, 1), date(2027, 1, 1)),
        ("quarter", datetime(2026, 4, 1, tzinfo=UTC), date(2026, 1, 1), date(2026, 4, 1)),
    ],
)
def test_calendar_periods_hold_the_instant_just_before(kind: str, before: datetime, start: date, end: date) -> None:
    assert calendar_period(kind, before, UTC_ZONE) == Interval(midnight(start, UTC_ZONE), midnight(end, UTC_ZONE))


@given(st.integers(946_684_800, 2_208_988_800), st.sampled_from(["Europe/Berlin", "Asia/Kathmandu"]))
def test_every_instant_lies_in_its_week(epoch: int, name: str) -> None:
    at, zone = datetime.fromtimestamp(epoch, UTC), ZoneInfo(name)

    assert week_of(monday_of(at, zone), zone).holds(at)
