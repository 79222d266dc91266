from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.intervals import Interval, union

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = 60_000_000


def between(start: int, end: int) -> Interval:
    return Interval(START + timedelta(minutes=start), START + timedelta(minutes=end))


intervals = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: between(*pair)), max_size=8)


def test_an_interval_is_half_open() -> None:
    span = between(0, 10)

    assert span.holds(span.start)
    assert not span.holds(span.end)
    assert span.length == 10 * MINUTE
    assert between(10, 0).is_empty
    assert between(10, 0).length == 0


def test_clipping() -> None:
    assert between(0, 10).clipped(between(5, 20)) == between(5, 10)
    assert between(0, 10).clipped(between(15, 20)).is_empty


def test_touching_intervals_merge_and_empty_ones_vanish() -> None:
    assert union([between(5, 9), between(0, 5), between(7, 7), between(8, 3)]) == (between(0, 9),)


@given(intervals)
def test_a_union_is_never_shorter_than_a_part_nor_longer_than_the_sum(some: list[Interval]) -> None:
    total = sum(part.length for part in union(some))

    assert all(total >= part.length for part in some)
    assert total <= sum(part.length for part in some)


@given(intervals)
def test_a_union_holds_the_same_instants(some: list[Interval]) -> None:
    merged = union(some)

    for minute in range(51):
        at = START + timedelta(minutes=minute)
        assert any(part.holds(at) for part in merged) == any(part.holds(at) for part in some)
