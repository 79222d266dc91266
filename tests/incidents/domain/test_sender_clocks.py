"""What senders' clocks say, by ours: never after the receipt, and one odd value moves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.sender_clocks import MOST_HOSTS, OLDEST, HostClocks, Reading, drift, reading

NOW = datetime(2028, 2, 29, 12, tzinfo=UTC)
ZERO = timedelta()
HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)


@pytest.mark.parametrize(
    ("sent_at", "expected"),
    [(None, ZERO), (NOW - timedelta(seconds=30), ZERO), (NOW + MONTH, -MONTH), (NOW - MONTH, MONTH)],
)
def test_the_drift_of_one_sending(sent_at: datetime | None, expected: timedelta) -> None:
    assert drift(sent_at, NOW) == expected


@pytest.mark.parametrize(
    ("told", "offset", "expected"),
    [
        (NOW - HOUR, ZERO, Reading(NOW - HOUR)),
        (NOW - MONTH - HOUR, MONTH, Reading(NOW - HOUR, NOW - MONTH - HOUR)),
        (NOW + MONTH - HOUR, -MONTH, Reading(NOW - HOUR, NOW + MONTH - HOUR)),
        (NOW + timedelta(seconds=20), ZERO, Reading(NOW)),
        (NOW + HOUR, ZERO, Reading(NOW, NOW + HOUR)),
        (NOW - OLDEST - HOUR, ZERO, Reading(NOW, NOW - OLDEST - HOUR)),
        (datetime(9998, 12, 31, tzinfo=UTC), timedelta(days=800), Reading(NOW, datetime(9998, 12, 31, tzinfo=UTC))),
    ],
)
def test_an_instant_by_our_clock(told: datetime, offset: timedelta, expected: Reading) -> None:
    assert reading(told, offset, NOW) == expected


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(9990, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- bounds are naive
    st.timedeltas(timedelta(days=-3000), timedelta(days=3000)),
)
def test_no_instant_lies_after_its_receipt_or_absurdly_before(told: datetime, offset: timedelta) -> None:
    found = reading(told, offset, NOW)

    assert timedelta() <= NOW - found.at <= OLDEST


def test_one_odd_value_moves_nothing_and_a_missing_one_takes_the_usual() -> None:
    clocks = HostClocks()
    for _ in range(4):
        clocks.offset("web-1", NOW - HOUR, NOW)

    assert clocks.offset("web-1", NOW, NOW) == HOUR
    assert clocks.offset("web-1", None, NOW) == HOUR
    assert clocks.offset("web-1", NOW - HOUR - timedelta(seconds=9), NOW) == HOUR + timedelta(seconds=9)
    assert clocks.offset("web-2", None, NOW) == ZERO
    assert clocks.offset("", NOW - HOUR, NOW) == HOUR


def test_the_first_values_of_a_host_are_believed() -> None:
    clocks = HostClocks()

    assert [clocks.offset("h", NOW - HOUR, NOW), clocks.offset("h", NOW, NOW)] == [HOUR, ZERO]


def test_a_clock_that_was_set_anew_is_followed() -> None:
    clocks = HostClocks()
    for _ in range(9):
        clocks.offset("h", NOW - HOUR, NOW)

    found = [clocks.offset("h", NOW, NOW) for _ in range(6)]

    assert found == [HOUR] * 4 + [ZERO] * 2


def test_hosts_are_forgotten_when_there_are_too_many() -> None:
    clocks = HostClocks()
    for _ in range(5):
        clocks.offset("first", NOW - HOUR, NOW)
    for number in range(MOST_HOSTS):
        clocks.offset(str(number), NOW, NOW)

    assert clocks.offset("first", None, NOW) == ZERO
