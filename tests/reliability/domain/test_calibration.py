"""Stated probabilities against what was said since."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reliability.domain.calibration import Answered, Calibration, Share, calibration

said = st.sampled_from([True, False, None])
answers = st.lists(st.tuples(st.integers(0, 1000), st.booleans(), said, said), max_size=12).map(
    lambda drawn: [
        Answered(p / 1000, names_change=names, is_right=right, had_guilty=had) for p, names, right, had in drawn
    ]
)


def right(probability: float) -> Answered:
    return Answered(probability, names_change=True, is_right=True, had_guilty=True)


def wrong(probability: float, *, had_guilty: bool | None = None) -> Answered:
    return Answered(probability, names_change=True, is_right=False, had_guilty=had_guilty)


def test_nothing_answered() -> None:
    none = Share(0, 0, None)

    assert calibration([]) == Calibration(0, (), None, None, none, none)


def test_a_small_team() -> None:
    found = calibration([right(0.95), right(0.9), wrong(0.95, had_guilty=False), right(0.6), wrong(0.3)])

    assert [(each.low, each.high, each.count, each.right) for each in found.bins] == [
        (0.0, 0.5, 1, 0), (0.5, 0.7, 1, 1), (0.9, 1.0, 3, 2),
    ]  # fmt: skip
    assert found.bins[2].stated == pytest.approx(2.8 / 3)
    assert found.brier == pytest.approx((0.05**2 + 0.1**2 + 0.95**2 + 0.4**2 + 0.3**2) / 5)
    assert found.ece == pytest.approx((0.3 + 0.4 + abs(2.8 - 2)) / 5)
    assert (found.sure.part, found.sure.whole) == (2, 3)
    assert (found.false_blame.part, found.false_blame.whole) == (1, 1)


def test_undecided_verdicts_accuse_nobody() -> None:
    named_none = Answered(0.8, names_change=False, is_right=True, had_guilty=False)

    found = calibration([wrong(0.49, had_guilty=False), wrong(0.5, had_guilty=False), named_none])

    assert (found.false_blame.part, found.false_blame.whole) == (1, 3)


def test_what_says_nothing_of_the_verdict_is_not_judged() -> None:
    assert calibration([Answered(0.8, names_change=True, is_right=None, had_guilty=None)]).count == 0


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # the first draw waits for a busy machine
@given(answers, st.integers(0, 2**32))
def test_every_judged_verdict_is_in_one_bin_whatever_the_order(some: list[Answered], seed: int) -> None:
    found = calibration(some)
    shuffled = list(some)
    random.Random(seed).shuffle(shuffled)

    assert sum(each.count for each in found.bins) == found.count == sum(each.is_right is not None for each in some)
    assert all(each.low <= each.stated <= each.high and 0 <= each.right <= each.count for each in found.bins)
    assert found.brier is None or 0 <= found.brier <= 1
    assert found.ece is None or 0 <= found.ece <= 1
    assert calibration(shuffled) == found
