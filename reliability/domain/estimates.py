"""Estimates from small samples: intervals of ratios, quantiles of durations of which some still run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

MEDIAN = Fraction(1, 2)
P90 = Fraction(9, 10)
Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """A value in the unit of the sample; None without a sample. is_lower_bound: the truth is at least this."""

    value: Fraction | None
    is_lower_bound: bool = False


def wilson_interval(successes: int, trials: int) -> tuple[float, float] | None:
    """Wilson score interval of a proportion at 95 % (E. B. Wilson, JASA 22, 1927); None without trials.

    Assumes independent trials. Exactly 0 and 1 at the ends, where rounding would miss them.
    """
    if not trials:
        return None
    p, square = successes / trials, Z_95 * Z_95
    scale = 1 + square / trials
    centre = (p + square / (2 * trials)) / scale
    half = Z_95 / scale * math.sqrt(p * (1 - p) / trials + square / (4 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def quantile(values: Sequence[int], share: Fraction) -> Fraction | None:
    """Linear interpolation at position (n - 1) * share of the sorted values; None for none."""
    if not values:
        return None
    return _at_position(sorted(values), (len(values) - 1) * share)


def censored_quantile(completed: Sequence[int], running: Sequence[int], share: Fraction) -> Quantile:
    """Quantile of durations of which the running ones are known only to exceed their age.

    The value has the running ones at their age. It is a lower bound where putting them at infinity would change it.
    """
    value = quantile([*completed, *running], share)
    if value is None or not running:
        return Quantile(value)
    position = (len(completed) + len(running) - 1) * share
    if math.ceil(position) >= len(completed):
        return Quantile(value, is_lower_bound=True)
    return Quantile(value, is_lower_bound=_at_position(sorted(completed), position) != value)


def _at_position(ordered: Sequence[int], position: Fraction) -> Fraction:
    whole, part = divmod(position, 1)
    low = Fraction(ordered[whole])
    return low + (ordered[whole + 1] - low) * part if part else low


def ratio(part: Fraction | int, whole: Fraction | int) -> Fraction | None:
    """part / whole, exactly; None where the whole is 0."""
    return Fraction(part) / Fraction(whole) if whole else None
