"""From when to when a record can matter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reliability.domain.spans import LEVELS, NEVER, UNBOUNDED, Span, longest, named_changes, span_of

TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def text(at: datetime) -> str:
    return at.isoformat()


def test_a_span_holds_every_clock_that_any_fact_stated() -> None:
    told = [
        (TEN, {"started_at": text(TEN), "finished_at": text(TEN + 9 * HOUR)}),
        (TEN + HOUR, {"started_at": text(TEN + HOUR), "finished_at": text(TEN + 2 * HOUR), "live_at": None}),
    ]

    assert span_of("deploy", told) == Span(TEN, TEN + 9 * HOUR, TEN, TEN + HOUR)


def test_what_was_open_until_the_next_word_came_lasts_until_then() -> None:
    opened = {"started_at": text(TEN)}
    restored = {"restored_at": text(TEN + HOUR)}

    assert span_of("incident", [(TEN, opened), (TEN + DAY, restored)]) == Span(TEN, TEN + DAY, TEN, TEN + DAY)
    assert span_of("incident", [(TEN, opened | restored), (TEN + DAY, {})]).last_at == TEN + HOUR
    assert span_of("incident", [(None, opened), (None, restored)]) == Span(TEN, TEN + HOUR, None, None)


def test_what_is_open_has_no_end() -> None:
    reopened = [(TEN, {"started_at": text(TEN), "restored_at": text(TEN)}), (TEN, {"restored_at": None})]

    assert span_of("incident", reopened).last_at is None
    assert span_of("monitoring_gap", [(None, {"starts_at": text(TEN)})]) == Span(TEN, None, None, None)
    assert span_of("deploy", [(None, {"started_at": text(TEN)})]).last_at == TEN


def test_spells_of_impact_belong_to_the_span() -> None:
    spells = [{"from_at": text(TEN - DAY), "to_at": text(TEN + DAY)}, {"from_at": text(TEN)}, "no spell"]

    found = span_of("incident", [(None, {"started_at": text(TEN), "restored_at": text(TEN), "impact": spells})])

    assert (found.first_at, found.last_at) == (TEN - DAY, TEN + DAY)
    assert span_of("deploy", [(None, {"started_at": text(TEN), "impact": spells})]).last_at == TEN


def test_a_record_without_clocks_lies_where_nobody_looks() -> None:
    assert span_of("deploy", [(TEN, {"id": "d"})]) == Span(NEVER, NEVER, TEN, TEN)


def test_it_is_known_since_ever_where_one_fact_is_undated() -> None:
    told = [(None, {"started_at": text(TEN)}), (TEN, {})]

    assert (span_of("deploy", told).known_at, span_of("deploy", told).told_at) == (None, TEN)


def test_stretching_takes_the_ends_and_keeps_when_it_was_told() -> None:
    own = Span(TEN, TEN, TEN, TEN + HOUR)

    assert own.with_that_of([]) == own
    assert own.with_that_of([Span(TEN - DAY, TEN + DAY)]) == Span(TEN - DAY, TEN + DAY, TEN, TEN + HOUR)
    assert own.with_that_of([Span(TEN, None)]).last_at is None
    assert own.with_that_of([Span(NEVER, NEVER)]) == own
    assert Span(NEVER, NEVER).with_that_of([]) == Span(NEVER, NEVER)


@pytest.mark.parametrize(
    ("length", "level"),
    [(timedelta(0), 0), (DAY, 0), (DAY + timedelta(microseconds=1), 1), (4 * DAY, 1), (16 * DAY, 2), (64 * DAY, 3)],
)
def test_levels_are_steps_of_length(length: timedelta, level: int) -> None:
    assert Span(TEN, TEN + length).level == level


def test_open_and_very_long_spans_have_a_level_of_their_own() -> None:
    assert Span(TEN, None).level == UNBOUNDED
    assert Span(TEN, TEN + longest(LEVELS - 1)).level == LEVELS - 1
    assert Span(TEN - longest(LEVELS - 1), TEN + DAY).level == UNBOUNDED


def test_touching_counts_both_ends() -> None:
    span = Span(TEN, TEN + HOUR)

    assert span.touches(TEN + HOUR, TEN + DAY)
    assert span.touches(TEN - DAY, TEN)
    assert not span.touches(TEN + 2 * HOUR, TEN + DAY)
    assert not span.touches(TEN - DAY, TEN - HOUR)
    assert Span(TEN, None).touches(TEN + 99 * DAY, TEN + 100 * DAY)


@pytest.mark.parametrize(
    ("said", "may_cost"),
    [
        ([{"class": "downtime"}], True),
        ([{"class": "downtime", "degradation": 0}], True),
        ([{"class": "multi_user"}], False),
        ([{"class": "multi_user", "degradation": 0}], False),
        ([{"class": "multi_user"}, {"degradation": 0.1}], True),
        ([{"degradation": 0.1, "class": "single_user"}, {"class": "multi_user", "degradation": 0}], True),
        ([{"class": "multi_user", "impact": [{"degradation": 0}, {"degradation": 1}]}], True),
        ([{"class": "multi_user", "impact": ["no spell", {"from_at": 0}], "degradation": None}], False),
        ([{"class": "multi_user", "impact": None}], False),
        ([{"class": "downtime"}, {"class": "impactless"}], True),
        ([{"class": "impactless", "degradation": 1}], False),
        ([{}], False),
    ],
)
def test_an_incident_may_cost_availability_where_any_of_its_facts_make_it(
    said: list[dict[str, object]], may_cost: bool
) -> None:
    told = [(None, payload) for payload in said]

    assert span_of("incident", told).may_cost is may_cost
    assert not span_of("deploy", told).may_cost


def test_every_change_that_was_ever_named_is_found() -> None:
    told = [
        (None, {"causes": [{"kind": "deploy", "id": "a"}, {"kind": "external"}, {"kind": "deploy"}, "no link"]}),
        (None, {"causes": [], "remedies": [{"kind": "flag", "id": 7}]}),
        (None, {"causes": None}),
    ]

    assert named_changes(told) == {("deploy", "a"), ("flag", "7")}
