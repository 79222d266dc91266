from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.instants import (
    NotAnInstant,
    exact,
    instant_text,
    microseconds,
    optional_instant,
    parse_instant,
    seconds,
)

TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-03T10:00:00Z",
        "2026-03-03t10:00:00z",
        "2026-03-03 10:00Z",
        "2026-03-03T11:00:00+01:00",
        "2026-03-03T11:00+0100",
        "2026-03-03T05:30:00.000-04:30",
        "2026-03-03T10:00:00.0000001Z",
        1772532000,
        1772532000.0,
    ],
)
def test_times_that_need_no_guess_are_read(value: object) -> None:
    assert parse_instant(value) == TEN


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-03T10:00:00",
        "2026-03-03",
        "1772532000",
        "",
        "2026-13-03T10:00:00Z",
        "2026-03-03T10:00:00+25:00",
        "0001-01-01T00:00:00+10:00",
        True,
        None,
        float("nan"),
        float("inf"),
        1e300,
        {},
    ],
)
def test_what_would_be_guessed_is_refused(value: object) -> None:
    with pytest.raises(NotAnInstant, match="expected a time with offset"):
        parse_instant(value)


def test_nothing_stays_nothing() -> None:
    assert optional_instant(None) is None
    assert optional_instant("2026-03-03T10:00:00Z") == TEN


def test_text_has_fractions_only_where_they_are() -> None:
    assert instant_text(TEN) == "2026-03-03T10:00:00Z"
    assert instant_text(TEN + timedelta(milliseconds=500)) == "2026-03-03T10:00:00.500000Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_text_reads_back(at: datetime) -> None:
    assert parse_instant(instant_text(at)) == at


def test_lengths() -> None:
    assert microseconds(timedelta(seconds=-1.5)) == -1_500_000
    assert exact(0.3) == Fraction(3, 10)
    assert exact(2) == Fraction(2)
    assert seconds(3_000_000) == 3
    assert isinstance(seconds(3_000_000), int)
    assert seconds(Fraction(1_000_000, 3)) == 1 / 3
