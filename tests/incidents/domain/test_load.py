from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.domain.evidence import TrafficPoint
from incidents.domain.load import flat, load_of


def test_load_is_traffic_in_units_of_the_mean() -> None:
    load = load_of([TrafficPoint(0, 10, 5), TrafficPoint(0, 10, 5, "b"), TrafficPoint(10, 10, 30)])

    assert (load(0, 10), load(10, 20), load(0, 20)) == (5, 15, 20)


def test_time_without_counts_is_average() -> None:
    load = load_of([TrafficPoint(0, 10, 10), TrafficPoint(20, 10, 30)])

    assert (load(-5, 0), load(10, 20), load(30, 40)) == (5, 10, 10)


def test_no_counts_or_no_traffic_is_flat() -> None:
    assert load_of([]) is flat
    assert load_of([TrafficPoint(0, 10, 0)]) is flat


def test_overlapping_counts_are_not_counted_twice() -> None:
    load = load_of([TrafficPoint(0, 20, 20), TrafficPoint(5, 5, 5), TrafficPoint(10, 20, 20)])

    assert load(0, 20) == pytest.approx(20, rel=0.2)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9), st.integers(0, 20)), max_size=12),
    st.lists(st.integers(-9, 70), min_size=3, max_size=3),
)
def test_load_adds_up(points: list[tuple[int, int, int]], marks: list[int]) -> None:
    load = load_of([TrafficPoint(float(a), float(s), c) for a, s, c in points])
    a, b, c = sorted(marks)

    assert load(a, c) == pytest.approx(load(a, b) + load(b, c), abs=1e-6)
    assert load(a, b) >= -1e-9
