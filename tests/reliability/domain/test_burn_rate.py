from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.burn_rate import CALENDAR_DAYS, RULES, burn_rate, is_firing

BY_NAME = {rule.name: rule for rule in RULES}


@pytest.mark.parametrize(
    ("name", "hours", "factors"),
    [
        ("page_fast", 1, ("3.36", "13.44", "14.4", "43.2")),
        ("page_slow", 6, ("1.4", "5.6", "6", "18")),
        ("ticket_fast", 24, ("1", "2.8", "3", "9")),
        ("ticket_slow", 72, ("1", "1", "1", "3")),
    ],
)
def test_the_four_rules_scaled_to_the_window(name: str, hours: int, factors: tuple[str, ...]) -> None:
    rule = BY_NAME[name]

    assert (rule.long, rule.short) == (timedelta(hours=hours), timedelta(hours=hours) / 12)
    assert [rule.factor(days) for days in (7, 28, 30, 90)] == [Fraction(each) for each in factors]


def test_calendar_periods_count_as_windows() -> None:
    assert CALENDAR_DAYS == {"week": 7, "month": 30, "quarter": 90}


@pytest.mark.parametrize(
    ("name", "target", "reachable"),
    [
        ("page_fast", "0.999", True),
        ("page_fast", "0.93", False),
        ("page_fast", "0.9306", True),
        ("page_slow", "0.8333", False),
        ("page_slow", "0.8334", True),
        ("ticket_slow", "1", False),
        ("ticket_slow", "0.0001", True),
    ],
)
def test_a_rule_that_a_total_outage_cannot_fire_is_unreachable(name: str, target: str, reachable: bool) -> None:
    assert BY_NAME[name].is_reachable(30, Fraction(target)) is reachable


def test_a_rule_that_exactly_a_total_outage_fires_is_reachable() -> None:
    assert BY_NAME["page_slow"].is_reachable(30, Fraction(5, 6))


def test_the_burn_rate_is_a_multiple_of_the_budget() -> None:
    assert burn_rate(Fraction(1), Fraction(100), Fraction("0.99")) == 1
    assert burn_rate(Fraction(3), Fraction(100), Fraction("0.98")) == Fraction(3, 2)
    assert burn_rate(Fraction(0), Fraction(5), Fraction("0.9")) == 0
    assert burn_rate(Fraction(1), Fraction(0), Fraction("0.99")) is None
    assert burn_rate(Fraction(1), Fraction(100), Fraction(1)) is None


@pytest.mark.parametrize(
    ("long", "short", "reachable", "firing"),
    [
        (2, 2, True, True),
        (3, 2, True, True),
        (2, 1, True, False),
        (1, 2, True, False),
        (9, 9, False, None),
        (None, 9, True, None),
        (9, None, True, None),
    ],
)
def test_a_rule_fires_where_both_spans_burn(
    long: int | None,
    short: int | None,
    reachable: bool,
    firing: bool | None,
) -> None:
    known = [None if each is None else Fraction(each) for each in (long, short)]

    assert is_firing(known[0], known[1], Fraction(2), is_reachable=reachable) is firing


@given(st.integers(1, 366), st.fractions(min_value=Fraction(1, 1000), max_value=1))
def test_an_unreachable_rule_never_reaches_its_factor(days: int, target: Fraction) -> None:
    for rule in RULES:
        total_outage = burn_rate(Fraction(1), Fraction(1), target)
        assert rule.factor(days) >= 1
        if not rule.is_reachable(days, target):
            assert total_outage is None or total_outage < rule.factor(days)
