from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.estimates import MEDIAN, P90, Quantile, censored_quantile, quantile, ratio, wilson_interval


def test_quantiles_interpolate() -> None:
    assert quantile([6000, 10], MEDIAN) == 3005
    assert quantile([10, 6000], P90) == 5401
    assert quantile([7], P90) == 7
    assert quantile([], MEDIAN) is None


@pytest.mark.parametrize(
    ("completed", "running", "share", "expected"),
    [
        ([10, 20, 30], [120], MEDIAN, Quantile(Fraction(25))),
        ([10, 20, 30], [120], P90, Quantile(Fraction(93), is_lower_bound=True)),
        ([10, 20, 30], [5], MEDIAN, Quantile(Fraction(15), is_lower_bound=True)),
        ([10, 20, 20, 30], [5], MEDIAN, Quantile(Fraction(20))),
        ([], [5], MEDIAN, Quantile(Fraction(5), is_lower_bound=True)),
        ([10, 20], [], MEDIAN, Quantile(Fraction(15))),
        ([], [], MEDIAN, Quantile(None)),
    ],
)
def test_running_durations_make_lower_bounds_only_where_they_matter(
    completed: list[int], running: list[int], share: Fraction, expected: Quantile
) -> None:
    assert censored_quantile(completed, running, share) == expected


lengths = st.lists(st.integers(0, 100), max_size=6)


@given(lengths, lengths, st.sampled_from([MEDIAN, P90]))
def test_a_running_duration_that_lasts_longer_never_lowers_the_quantile(
    completed: list[int], running: list[int], share: Fraction
) -> None:
    now = censored_quantile(completed, running, share)
    later = censored_quantile(completed, [age + 1000 for age in running], share)

    if now.value is not None and later.value is not None:
        assert later.value >= now.value
        assert now.is_lower_bound or later.value == now.value


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 6, 0.0, 0.390334), (6, 6, 0.609666, 1.0), (1, 10, 0.017876, 0.404150), (2, 27, 0.020555, 0.233696)],
)
def test_wilson_interval(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=1e-6)


def test_ends_of_the_interval_are_exact_and_without_trials_there_is_none() -> None:
    assert (wilson_interval(0, 3) or (9, 9))[0] == 0
    assert (wilson_interval(3, 3) or (9, 9))[1] == 1
    assert wilson_interval(0, 0) is None


@given(st.integers(0, 200), st.integers(1, 200))
def test_the_interval_holds_the_proportion(successes: int, trials: int) -> None:
    successes = min(successes, trials)
    interval = wilson_interval(successes, trials)

    assert interval is not None
    assert 0 <= interval[0] <= successes / trials <= interval[1] <= 1


def test_a_ratio_without_a_whole_is_unknown() -> None:
    assert ratio(1, 3) == Fraction(1, 3)
    assert ratio(0, 0) is None
