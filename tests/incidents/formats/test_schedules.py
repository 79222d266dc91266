"""When a schedule expects the next run: over clock changes, short months and leap days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.formats.schedules import BadSchedule, crontab, interval, run_after, run_expected_after_start, zone_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("kind", "schedule", "zone", "start", "expected"),
    [
        ("crontab", "0 2 * * *", "UTC", "2026-03-04T02:00:10Z", "2026-03-05T02:00:00Z"),
        ("crontab", "0 0 29 2 *", "UTC", "2026-03-04T00:00:00Z", "2028-02-29T00:00:00Z"),
        # the clocks of Berlin go from 02:00 to 03:00 on 29 March: the run of 02:30 comes at 03:00
        ("crontab", "30 2 * * *", "Europe/Berlin", "2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("crontab", "30 2 * * *", "Europe/Berlin", "2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("crontab", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"),
        ("interval", "10 minute", "UTC", "2026-03-04T02:00:10Z", "2026-03-04T02:10:10Z"),
        ("interval", "1 hour", "Europe/Berlin", "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"),
        ("interval", "1 day", "Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-29T12:00:00+02:00"),
        ("interval", "2 week", "UTC", "2026-03-04T02:00:00Z", "2026-03-18T02:00:00Z"),
        ("interval", "1 month", "UTC", "2026-01-31T02:00:00Z", "2026-02-28T02:00:00Z"),
        ("interval", "1 year", "UTC", "2028-02-29T02:00:00Z", "2029-02-28T02:00:00Z"),
    ],
)
def test_the_next_run(kind: str, schedule: str, zone: str, start: str, expected: str) -> None:
    assert run_after(kind, schedule, zone, at(start)) == at(expected)


@pytest.mark.parametrize(
    ("kind", "schedule", "start", "expected"),
    [
        ("crontab", "0 2 * * *", "2026-03-04T01:59:45Z", "2026-03-05T02:00:00Z"),
        ("crontab", "0 2 * * *", "2026-03-04T01:58:45Z", "2026-03-04T02:00:00Z"),
        ("crontab", "* * * * *", "2026-03-04T01:59:45Z", "2026-03-04T02:00:00Z"),
        ("interval", "10 minute", "2026-03-04T01:59:45Z", "2026-03-04T02:09:45Z"),
    ],
)
def test_a_run_that_starts_a_little_early_has_had_its_turn(kind: str, schedule: str, start: str, expected: str) -> None:
    assert run_expected_after_start(kind, schedule, "UTC", at(start)) == at(expected)


@given(
    st.integers(0, 10 * 366 * 86_400).map(
        lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    ),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.sampled_from(
        [("crontab", "30 2 * * *"), ("crontab", "*/15 * * * *"), ("interval", "1 day"), ("interval", "1 month")]
    ),
)
def test_the_next_run_lies_ahead_and_not_far(start: datetime, zone: str, schedule: tuple[str, str]) -> None:
    following = run_after(*schedule, zone, start)

    assert start < following <= start + timedelta(days=32)


@pytest.mark.parametrize("line", ["", "* * * *", "* * * * * *", "61 * * * *", "@sometimes", "0 0 30 2 *", "a b c d e"])
def test_what_is_no_crontab_line(line: str) -> None:
    with pytest.raises(BadSchedule):
        crontab(line)


def test_names_of_crontab_lines_are_spelled_out() -> None:
    assert crontab(" @daily ") == "0 0 * * *"
    assert crontab("0  2 * * mon-fri") == "0 2 * * mon-fri"


@pytest.mark.parametrize(("value", "unit"), [(0, "day"), (True, "day"), ("1", "day"), (1, "fortnight"), (10**9, "day")])
def test_what_is_no_interval(value: object, unit: object) -> None:
    with pytest.raises(BadSchedule):
        interval(value, unit)


def test_an_interval_beyond_all_calendars() -> None:
    with pytest.raises(BadSchedule):
        run_after("interval", "9000 year", "UTC", at("2026-03-04T02:00:00Z"))
    with pytest.raises(BadSchedule):
        run_after("crontab", "0 0 30 2 *", "UTC", at("2026-03-04T02:00:00Z"))


@pytest.mark.parametrize("name", [None, "", "Nowhere/At_all", "../../etc/passwd", "Europe", 7, "a\0b"])
def test_an_unknown_zone_is_utc(name: object) -> None:
    assert zone_of(name) == "UTC"


def test_a_known_zone() -> None:
    assert zone_of("Europe/Berlin") == "Europe/Berlin"
