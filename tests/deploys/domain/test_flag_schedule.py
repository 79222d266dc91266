"""Steps that wait for health."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.bucketing import WHOLE
from deploys.domain.flag_rules import Rules, Serve, Step
from deploys.domain.flag_schedule import (
    ServiceHealth,
    Windows,
    held_step,
    is_worse,
    reasons_to_wait,
    taken,
    waits_for_health,
    windows,
)

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
FIRST = Step(NOW, 10_000)
SECOND = Step(NOW + HOUR, 50_000, waits=True, needs_health=True)
THIRD = Step(NOW + 2 * HOUR, WHOLE, waits=True, needs_health=True)


def planned(*steps: Step) -> Rules:
    return Rules(Serve((("on", WHOLE),), 0, "off"), is_on=True, schedule=steps)


def percents(rules: Rules, *hours: float) -> list[int]:
    return [rules.default_at(NOW + each * HOUR).percent for each in hours]


def test_a_step_that_waits_for_health_is_held_from_its_time_on() -> None:
    rules = planned(FIRST, SECOND, THIRD)

    assert [held_step(rules, NOW + hours * HOUR) for hours in (0.9, 1, 5)] == [None, SECOND, SECOND]
    assert percents(rules, 0, 1, 5) == [10_000] * 3
    assert (waits_for_health(rules), waits_for_health(planned(FIRST))) == (True, False)


def test_nothing_is_held_by_health_behind_a_step_that_waits_for_somebody() -> None:
    rules = planned(Step(NOW, 10_000, waits=True), SECOND)

    assert held_step(rules, NOW + 5 * HOUR) is None
    assert taken(rules, NOW + 5 * HOUR) == rules


def test_a_step_taken_late_moves_those_after_it() -> None:
    rules = taken(planned(FIRST, SECOND, THIRD), NOW + 3 * HOUR)

    assert rules.schedule[1:] == (
        replace(SECOND, at=NOW + 3 * HOUR, is_released=True),
        replace(THIRD, at=NOW + 4 * HOUR),
    )
    assert percents(rules, 2.9, 3, 5) == [10_000, 50_000, 50_000]


def test_a_step_taken_in_time_leaves_the_others_where_they_are() -> None:
    rules = taken(planned(FIRST, SECOND, THIRD), NOW + HOUR + MINUTE)

    assert rules.schedule[1:] == (replace(SECOND, at=NOW + HOUR + MINUTE, is_released=True), THIRD)


def test_steps_a_minute_apart_stay_in_order() -> None:
    soon = replace(THIRD, at=SECOND.at + MINUTE)

    assert [each.at for each in taken(planned(SECOND, soon), SECOND.at + 2 * MINUTE).schedule] == [
        SECOND.at + 2 * MINUTE,
        SECOND.at + 3 * MINUTE,
    ]


@given(st.lists(st.integers(1, 100), min_size=1, max_size=5), st.integers(0, 1_000))
def test_steps_are_taken_one_by_one_in_order_and_none_is_lost(gaps: list[int], late: int) -> None:
    ats = [NOW + sum(gaps[: place + 1]) * MINUTE for place in range(len(gaps))]
    steps = planned(*(Step(at, 1_000 * place, waits=True, needs_health=True) for place, at in enumerate(ats)))

    after = taken(steps, ats[0] + late * MINUTE)

    assert [each.percent for each in after.schedule] == [each.percent for each in steps.schedule]
    assert sum(not each.is_held for each in after.schedule) == 1
    times = [each.at for each in after.schedule]
    assert times == sorted(set(times))


def test_the_last_hour_is_compared_with_the_same_hour_of_the_last_day_before_the_change() -> None:
    assert windows(NOW - 20 * MINUTE, NOW) == Windows(NOW - 20 * MINUTE, NOW, NOW - DAY - 20 * MINUTE, NOW - DAY)
    assert windows(NOW - 2 * DAY, NOW) == Windows(NOW - HOUR, NOW, NOW - 2 * DAY - HOUR, NOW - 2 * DAY)
    assert windows(NOW - 2 * DAY - MINUTE, NOW).before_until == NOW - 3 * DAY
    assert windows(NOW, NOW).before_until == NOW - DAY


SEEN = windows(NOW - HOUR, NOW)


@pytest.mark.parametrize(
    ("services", "reasons"),
    [
        ([ServiceHealth("shop", failing_count=9, before_count=8)], []),
        ([ServiceHealth("shop"), ServiceHealth("search", is_heard=False)], []),
        ([ServiceHealth("shop", is_heard=False)], ["nobody could tell: shop reported nothing for a week"]),
        ([], ["nobody could tell: the team has no service"]),
        ([ServiceHealth("shop", incidents=("INC-7 Checkout fails",))], ["INC-7 Checkout fails is open on shop"]),
        (
            [ServiceHealth("shop", failing_count=20, before_count=4)],
            ["20 fail on shop, 4 at this time of the day before it changed"],
        ),
    ],
)
def test_what_a_step_waits_for(services: list[ServiceHealth], reasons: list[str]) -> None:
    assert reasons_to_wait(SEEN, services) == reasons


def test_a_flag_that_changed_just_now_is_looked_at_first() -> None:
    seen = windows(NOW - 9 * MINUTE, NOW)

    assert reasons_to_wait(seen, [ServiceHealth("shop")]) == ["the flag changed less than 10 minutes ago"]


@pytest.mark.parametrize(
    ("now", "before", "is_"),
    [
        (2, 0, False),
        (5, 0, False),
        (6, 0, True),
        (14, 10, False),
        (30, 20, False),
        (60, 30, True),
        (10_000, 6_000, True),
        (10_000, 7_000, False),
        (0, 0, False),
    ],
)
def test_more_failing_users_than_chance_would_give(now: int, before: int, is_: bool) -> None:
    assert is_worse(now, before) is is_


@given(st.integers(0, 200), st.integers(0, 200))
def test_more_now_is_never_better(now: int, before: int) -> None:
    if is_worse(now, before):
        assert is_worse(now + 1, before)
        assert before == 0 or is_worse(now, before - 1)
