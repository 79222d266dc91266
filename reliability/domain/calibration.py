"""Are verdicts as sure as they say? What was stated against what people, or an observed reversal, said since.

Verdicts are taken as they stood when the answer came, so that no later evidence helps them. Only incidents that somebody
answered are known; the others say nothing either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reliability.domain.estimates import wilson_interval

EDGES = (0.0, 0.5, 0.7, 0.9, 1.0)
"""Undecided; probable in two halves; likely."""
NAMED = 0.5
"""From here a verdict names its change; below it is undecided and accuses nobody."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A verdict with its answer.

    ``names_change``: the likeliest candidate was a change. ``is_right`` None: something else was said than whether it was.
    ``had_guilty``: a change did it; None where nobody said.
    """

    probability: float
    names_change: bool
    is_right: bool | None
    had_guilty: bool | None


@dataclass(frozen=True, slots=True)
class Bin:
    """Verdicts that stated a probability in [low, high), at 1 also 1: how many, what they said on average, how many were
    right, and the likely range of that share (Wilson, 95 %).
    """

    low: float
    high: float
    count: int
    stated: float
    right: int
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``whole`` with the likely range; None without a whole."""

    part: int
    whole: int
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """``brier`` is the mean squared error of the stated probability (0 is perfect, 0.25 is a coin; Brier 1950), ``ece`` the
    mean distance between stated and true share over the bins, weighted by their counts. None of nothing.
    """

    count: int
    bins: tuple[Bin, ...]
    brier: float | None
    ece: float | None
    sure: Share
    false_blame: Share


def calibration(answers: Sequence[Answered]) -> Calibration:
    """How the stated probabilities turned out. The order of the answers does not matter."""
    known = sorted((each.probability, each.is_right) for each in answers if each.is_right is not None)
    bins = tuple(found for low, high in pairwise(EDGES) if (found := _bin(known, low, high)) is not None)
    count = len(known)
    sure = [is_right for p, is_right in known if p >= EDGES[-2]]
    innocent = [each for each in answers if each.had_guilty is False]
    blamed = sum(1 for each in innocent if each.names_change and each.probability >= NAMED)
    return Calibration(
        count=count,
        bins=bins,
        brier=sum((p - is_right) ** 2 for p, is_right in known) / count if count else None,
        ece=sum(abs(each.stated - each.right / each.count) * each.count for each in bins) / count if count else None,
        sure=Share(sum(sure), len(sure), wilson_interval(sum(sure), len(sure))),
        false_blame=Share(blamed, len(innocent), wilson_interval(blamed, len(innocent))),
    )


def _bin(known: Sequence[tuple[float, bool]], low: float, high: float) -> Bin | None:
    inside = [(p, is_right) for p, is_right in known if low <= p < high or p == high == 1.0]
    if not inside:
        return None
    right = sum(is_right for _, is_right in inside)
    stated = sum(p for p, _ in inside) / len(inside)
    return Bin(low, high, len(inside), stated, right, wilson_interval(right, len(inside)) or (0.0, 1.0))
