"""What shows most is kept."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.retention import Report, level, spread


def test_few_reports_are_all_kept() -> None:
    assert spread([Report(1, "a"), Report(2, "a")], 2) == {1, 2}
    assert spread([], 0) == set()


def test_reports_of_one_kind_lie_evenly_over_time() -> None:
    assert spread([Report(number, "a") for number in range(101)], 5) == {0, 25, 50, 75, 100}


def test_every_kind_has_its_turn() -> None:
    reports = [Report(number, "rare" if number in (40, 41) else f"kind {number % 2}") for number in range(100)]

    kept = spread(reports, 12)

    assert Counter(report.kind for report in reports if report.id in kept) == {"rare": 2, "kind 0": 5, "kind 1": 5}


@given(kinds=st.lists(st.integers(0, 5), max_size=60), count=st.integers(0, 70))
def test_never_more_and_rarely_fewer_are_kept(kinds: list[int], count: int) -> None:
    kept = spread([Report(number, kind) for number, kind in enumerate(kinds)], count)

    assert len(kept) == min(count, len(kinds))


@pytest.mark.parametrize(
    ("counts", "most", "expected"),
    [([], 5, 0), ([3, 4], 10, 4), ([1, 2, 100], 10, 7), ([50, 50], 10, 5), ([9] * 20, 10, 0), ([2, 8, 8], 12, 5)],
)
def test_large_issues_give_first(counts: list[int], most: int, expected: int) -> None:
    assert level(counts, most) == expected


@given(counts=st.lists(st.integers(1, 100), min_size=1), most=st.integers(0, 2_000))
def test_the_level_is_the_highest_that_fits(counts: list[int], most: int) -> None:
    found = level(counts, most)

    assert sum(min(count, found) for count in counts) <= most
    assert found == max(counts) or sum(min(count, found + 1) for count in counts) > most
