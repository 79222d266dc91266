"""A team's own weights: the shipped ones, moved as far as its corrections carry.

What people said of an incident is a sample: the terms of all candidates as they were weighed then, and which of them may
still be the cause. With P the model's softmax (`incidents.domain.attribution`) the weights minimise

    sum over samples of -ln sum of P(c) over the possible c  +  strength / 2 * |w - shipped|^2,

a ridge towards the shipped weights, so that few corrections move little and what they do not speak of stays. One named
cause makes it a conditional logit (McFadden 1974); a mere "not this" leaves all others possible, which maximises
ln(1 - P(c)). Each weight stays within `reach` of the shipped one and keeps its sign, because its sentence would
otherwise say the opposite of what it does; a shipped weight of 0 has no sign and stays 0.

Solved by Newton's method projected on the box (Bertsekas 1982), with the curvature of the softmax over all candidates,
which is never negative where the exact one of a mere refusal may be; backtracking after Armijo keeps every step downhill.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

STRENGTH = 10.0
REACH = 3.0
TOLERANCE = 1e-6
_LOOSE = 1e-3
"""Enough for a loss: with the strength above a weight is then right to a ten-thousandth."""
_STEPS = 60

Weights = Mapping[str, float]
_Sparse = tuple[tuple[int, float], ...]
_Matrix = list[list[float]]


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of the terms of every candidate, and the places of those that may be the cause, as far as people said.

    At least one candidate is possible and, for the sample to teach anything, not all are.
    """

    candidates: tuple[Mapping[str, float], ...]
    possible: frozenset[int]


def probabilities(candidates: Sequence[Mapping[str, float]], weights: Weights) -> list[float]:
    """The softmax of the candidates' scores, in their order. A term without a weight counts nothing."""
    scores = [sum(weights.get(name, 0.0) * value for name, value in terms.items()) for terms in candidates]
    top = max(scores)
    odds = [math.exp(score - top) for score in scores]
    total = sum(odds)
    return [odd / total for odd in odds]


def loss(sample: Sample, weights: Weights) -> float:
    """-ln of the probability that the cause is one of the possible ones: 0 is perfect. Natural logarithm."""
    scores = [sum(weights.get(name, 0.0) * value for name, value in terms.items()) for terms in sample.candidates]
    return _log_sum(scores) - _log_sum([scores[place] for place in sample.possible])


def mean_loss(samples: Sequence[Sample], weights: Weights) -> float:
    """Mean log-loss of the samples under these weights; 0.0 of none."""
    return sum(loss(each, weights) for each in samples) / len(samples) if samples else 0.0


def refit(
    samples: Sequence[Sample], shipped: Weights, *, strength: float = STRENGTH, reach: float = REACH
) -> dict[str, float]:
    """The team's weights; those of terms that no sample has are the shipped ones."""
    problem = _Problem.of(samples, shipped, strength, reach)
    found = problem.minimise(problem.shipped, TOLERANCE)
    return {**shipped, **dict(zip(problem.names, found, strict=True))}


def left_out_loss(
    samples: Sequence[Sample], shipped: Weights, *, strength: float = STRENGTH, reach: float = REACH
) -> float:
    """Mean log-loss of every sample under weights fitted to all others: what the team's weights are worth on new cases.

    Each fit begins at the fit to all of them and keeps its curvature, so that it takes two or three steps. 0.0 of none.
    """
    if not samples:
        return 0.0
    problem = _Problem.of(samples, shipped, strength, reach)
    whole = problem.minimise(problem.shipped, TOLERANCE)
    curvature = problem.curvature(whole)
    factors: dict[tuple[int, ...], _Matrix] = {}
    total = 0.0
    for place in range(len(samples)):
        rest = problem.without(place)
        total += problem.loss_of(place, rest.minimise(whole, _LOOSE, curvature, factors))
    return total / len(samples)


@dataclass(frozen=True, slots=True)
class Moved:
    """A weight that differs between two sets."""

    term: str
    before: float
    after: float


def moved(before: Weights, after: Weights, least: float = 0.05) -> list[Moved]:
    """The terms whose weights differ by at least `least`, the furthest moved first."""
    found = [Moved(name, before.get(name, 0.0), after.get(name, 0.0)) for name in {*before, *after}]
    return sorted(
        (each for each in found if abs(each.after - each.before) >= least),
        key=lambda each: (-abs(each.after - each.before), each.term),
    )


def _log_sum(scores: Sequence[float]) -> float:
    top = max(scores)
    return top + math.log(sum(math.exp(score - top) for score in scores))


@dataclass(slots=True)
class _Problem:
    """The samples by place of the term, with the box of every weight."""

    names: tuple[str, ...]
    shipped: list[float]
    low: list[float]
    high: list[float]
    strength: float
    rows: list[tuple[tuple[_Sparse, ...], frozenset[int]]] = field(default_factory=list)

    @classmethod
    def of(cls, samples: Sequence[Sample], shipped: Weights, strength: float, reach: float) -> _Problem:
        seen = {name for each in samples for terms in each.candidates for name, value in terms.items() if value}
        names = tuple(sorted(seen & shipped.keys()))
        place = {name: k for k, name in enumerate(names)}
        start = [shipped[name] for name in names]
        low = [max(w - reach, 0.0) if w >= 0 else w - reach for w in start]
        high = [w + reach if w > 0 else min(w + reach, 0.0) for w in start]
        rows = [
            (
                tuple(
                    tuple((place[name], value) for name, value in sorted(terms.items()) if name in place and value)
                    for terms in each.candidates
                ),
                each.possible,
            )
            for each in samples
        ]
        return cls(names, start, low, high, strength, rows)

    def without(self, place: int) -> _Problem:
        rows = self.rows[:place] + self.rows[place + 1 :]
        return _Problem(self.names, self.shipped, self.low, self.high, self.strength, rows)

    def loss_of(self, place: int, weights: Sequence[float]) -> float:
        candidates, possible = self.rows[place]
        scores = [sum(weights[k] * value for k, value in terms) for terms in candidates]
        return _log_sum(scores) - _log_sum([scores[each] for each in possible])

    def value(self, weights: Sequence[float]) -> float:
        ridge = sum((w - s) ** 2 for w, s in zip(weights, self.shipped, strict=True))
        return sum(self.loss_of(place, weights) for place in range(len(self.rows))) + self.strength / 2 * ridge

    def gradient(self, weights: Sequence[float]) -> list[float]:
        found = [self.strength * (w - s) for w, s in zip(weights, self.shipped, strict=True)]
        for candidates, possible in self.rows:
            pulls = _softmax(candidates, weights)
            held = sorted(possible)
            for place, odd in zip(held, _softmax([candidates[each] for each in held], weights), strict=True):
                pulls[place] -= odd
            for pull, terms in zip(pulls, candidates, strict=True):
                for k, value in terms:
                    found[k] += pull * value
        return found

    def curvature(self, weights: Sequence[float]) -> _Matrix:
        """The covariance of the terms under P, summed over the samples, and the ridge."""
        size = len(self.names)
        found = [[0.0] * size for _ in range(size)]
        for candidates, _ in self.rows:
            odds = _softmax(candidates, weights)
            mean: dict[int, float] = {}
            for odd, terms in zip(odds, candidates, strict=True):
                for k, value in terms:
                    mean[k] = mean.get(k, 0.0) + odd * value
                    for j, other in terms:
                        found[k][j] += odd * value * other
            for k, one in mean.items():
                for j, other in mean.items():
                    found[k][j] -= one * other
        for k in range(size):
            found[k][k] += self.strength
        return found

    def minimise(
        self,
        start: Sequence[float],
        tolerance: float,
        curvature: _Matrix | None = None,
        factors: dict[tuple[int, ...], _Matrix] | None = None,
    ) -> list[float]:
        """Projected Newton. A given curvature is kept for all steps, and its factors are shared in `factors`."""
        at, value = list(start), self.value(start)
        for _ in range(_STEPS):
            slope = self.gradient(at)
            free = tuple(k for k in range(len(at)) if not self._is_held(k, at[k], slope[k]))
            if max((abs(slope[k]) for k in free), default=0.0) < tolerance:
                break
            step = self._step(at, slope, free, curvature, factors)
            size = 1.0
            while size > 1e-10:
                tried = [
                    min(max(w - size * d, low), high)
                    for w, d, low, high in zip(at, step, self.low, self.high, strict=True)
                ]
                downhill = sum(g * (w - t) for g, w, t in zip(slope, at, tried, strict=True))
                reached = self.value(tried)
                if reached <= value - 1e-4 * downhill:
                    break
                size /= 2
            if size <= 1e-10 or tried == at:
                break
            at, value = tried, reached
        return at

    def _is_held(self, k: int, weight: float, slope: float) -> bool:
        return (weight <= self.low[k] and slope >= 0) or (weight >= self.high[k] and slope <= 0)

    def _step(
        self,
        at: Sequence[float],
        slope: Sequence[float],
        free: tuple[int, ...],
        curvature: _Matrix | None,
        factors: dict[tuple[int, ...], _Matrix] | None,
    ) -> list[float]:
        factor = factors.get(free) if factors is not None else None
        if factor is None:
            whole = curvature if curvature is not None else self.curvature(at)
            factor = _cholesky([[whole[k][j] for j in free] for k in free])
            if factors is not None:
                factors[free] = factor
        found = [0.0] * len(at)
        for k, each in zip(free, _solve(factor, [slope[k] for k in free]), strict=True):
            found[k] = each
        return found


def _softmax(candidates: Sequence[_Sparse], weights: Sequence[float]) -> list[float]:
    scores = [sum(weights[k] * value for k, value in terms) for terms in candidates]
    top = max(scores)
    odds = [math.exp(score - top) for score in scores]
    total = sum(odds)
    return [odd / total for odd in odds]


def _cholesky(matrix: _Matrix) -> _Matrix:
    """The lower triangle L with L L' = matrix, which the ridge makes positive definite."""
    found: _Matrix = []
    for k, row in enumerate(matrix):
        line: list[float] = []
        for j in range(k):
            other = found[j]
            line.append((row[j] - sum(a * b for a, b in zip(line, other, strict=False))) / other[j])
        line.append(math.sqrt(row[k] - sum(a * a for a in line)))
        found.append(line)
    return found


def _solve(lower: _Matrix, right: Sequence[float]) -> list[float]:
    """x with L L' x = right."""
    size = len(right)
    middle: list[float] = []
    for k in range(size):
        middle.append((right[k] - sum(a * b for a, b in zip(lower[k], middle, strict=False))) / lower[k][k])
    found = [0.0] * size
    for k in range(size - 1, -1, -1):
        found[k] = (middle[k] - sum(lower[j][k] * found[j] for j in range(k + 1, size))) / lower[k][k]
    return found
