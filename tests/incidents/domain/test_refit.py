"""A team's own weights: fitted towards the shipped ones, never beyond what is allowed."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.domain.refit import (
    REACH,
    STRENGTH,
    Moved,
    Sample,
    _Problem,
    left_out_loss,
    loss,
    mean_loss,
    moved,
    probabilities,
    refit,
)

SHIPPED = {"near": 2.0, "same": 1.0, "far": -1.5, "base": 0.5, "unused": 0.7, "mute": 0.0}
TERMS = [*SHIPPED, "unknown"]

#: The first draws of a busy machine are slow.
patient = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
values = st.dictionaries(st.sampled_from(TERMS), st.floats(-4, 4).map(lambda x: round(x, 3)), max_size=5)


@st.composite
def drawn_samples(draw: st.DrawFn) -> Sample:
    candidates = draw(st.lists(values, min_size=2, max_size=5))
    places = range(len(candidates))
    possible = draw(st.sets(st.sampled_from(places), min_size=1, max_size=len(candidates) - 1))
    return Sample(tuple(candidates), frozenset(possible))


sample_lists = st.lists(drawn_samples(), min_size=1, max_size=6)


def objective(samples: list[Sample], weights: Mapping[str, float], strength: float = STRENGTH) -> float:
    """The formula of the module, written out a second time."""
    total = 0.0
    for each in samples:
        odds = probabilities(each.candidates, weights)
        total -= math.log(sum(odds[place] for place in each.possible))
    return total + strength / 2 * sum((weights[name] - w) ** 2 for name, w in SHIPPED.items())


def test_probabilities_are_the_softmax() -> None:
    odds = probabilities([{"near": 1.0}, {"same": 1.0, "unknown": 9.0}, {}], SHIPPED)

    total = math.exp(2) + math.exp(1) + 1
    assert odds == pytest.approx([math.exp(2) / total, math.exp(1) / total, 1 / total])


def test_loss_of_a_refusal_is_minus_the_logarithm_of_what_is_left() -> None:
    candidates = ({"near": 1.0}, {"same": 1.0}, {})
    odds = probabilities(candidates, SHIPPED)

    assert loss(Sample(candidates, frozenset({1, 2})), SHIPPED) == pytest.approx(-math.log(1 - odds[0]))
    assert loss(Sample(candidates, frozenset({0})), SHIPPED) == pytest.approx(-math.log(odds[0]))


def test_scores_far_apart_break_nothing() -> None:
    sample = Sample(({"near": 900.0}, {"near": -900.0}), frozenset({1}))

    assert loss(sample, SHIPPED) == pytest.approx(3600.0)
    assert refit([sample], SHIPPED)["near"] == 0.0


@patient
@given(sample_lists, st.integers(0, 2**32))
def test_gradient_is_that_of_finite_differences(samples: list[Sample], seed: int) -> None:
    problem, drawn = _Problem.of(samples, SHIPPED, STRENGTH, REACH), random.Random(seed)
    at = [w + drawn.uniform(-0.5, 0.5) for w in problem.shipped]

    slope = problem.gradient(at)

    for k in range(len(at)):
        step = 1e-5
        up, down = list(at), list(at)
        up[k] += step
        down[k] -= step
        assert slope[k] == pytest.approx((problem.value(up) - problem.value(down)) / (2 * step), abs=2e-4, rel=1e-4)


@patient
@given(sample_lists)
def test_value_is_the_formula_of_the_module(samples: list[Sample]) -> None:
    problem = _Problem.of(samples, SHIPPED, STRENGTH, REACH)

    assert problem.value(problem.shipped) == pytest.approx(objective(samples, SHIPPED), rel=1e-9)


@patient
@given(sample_lists)
def test_refit_never_fits_worse_and_stays_in_its_box(samples: list[Sample]) -> None:
    fitted = refit(samples, SHIPPED)

    assert objective(samples, fitted) <= objective(samples, SHIPPED) + 1e-9
    assert fitted.keys() == SHIPPED.keys()
    for name, shipped in SHIPPED.items():
        assert abs(fitted[name] - shipped) <= REACH + 1e-9
        assert fitted[name] * shipped >= 0
    assert fitted["mute"] == 0.0


@patient
@given(sample_lists, st.integers(0, 2**32))
def test_refit_is_a_minimum_of_the_box(samples: list[Sample], seed: int) -> None:
    fitted = refit(samples, SHIPPED)
    best, drawn = objective(samples, fitted), random.Random(seed)

    for _ in range(20):
        tried = {}
        for name, shipped in SHIPPED.items():
            low = max(shipped - REACH, 0.0) if shipped >= 0 else shipped - REACH
            high = shipped + REACH if shipped > 0 else min(shipped + REACH, 0.0)
            tried[name] = min(max(fitted[name] + drawn.gauss(0, 0.02), low), high)
        assert objective(samples, tried) >= best - 1e-6


@patient
@given(sample_lists, st.integers(0, 2**32))
def test_order_of_samples_does_not_matter(samples: list[Sample], seed: int) -> None:
    shuffled = list(samples)
    random.Random(seed).shuffle(shuffled)

    assert refit(shuffled, SHIPPED) == pytest.approx(refit(samples, SHIPPED), abs=1e-5)


@patient
@given(st.lists(drawn_samples(), min_size=1, max_size=4))
def test_leaving_one_out_is_fitting_to_the_others(samples: list[Sample]) -> None:
    plain = [
        loss(sample, refit(samples[:place] + samples[place + 1 :], SHIPPED)) for place, sample in enumerate(samples)
    ]

    assert left_out_loss(samples, SHIPPED) == pytest.approx(sum(plain) / len(plain), abs=2e-3)


def test_nothing_said_changes_nothing() -> None:
    assert refit([], SHIPPED) == SHIPPED
    assert left_out_loss([], SHIPPED) == mean_loss([], SHIPPED) == 0.0


def test_a_team_whose_late_changes_are_guilty_learns_it() -> None:
    """The shipped weights trust nearness too much for this team: in its incidents the far one did it."""
    candidates = ({"near": 1.0}, {"far": 1.0, "same": 1.0}, {"base": 1.0})
    samples = [Sample(candidates, frozenset({1}))] * 30

    fitted = refit(samples, SHIPPED)

    assert probabilities(candidates, SHIPPED)[1] < 0.1
    assert probabilities(candidates, fitted)[1] > 0.6
    assert left_out_loss(samples, SHIPPED) < mean_loss(samples, SHIPPED) / 2
    ways = {each.term: each.after > each.before for each in moved(SHIPPED, fitted)}
    assert ways == {"far": True, "same": True, "near": False, "base": False}


def test_noise_is_not_worth_keeping() -> None:
    """Labels that have nothing to do with the terms: what is learned of them judges others worse."""
    drawn = random.Random(5)
    shipped = {f"t{k}": 0.3 for k in range(8)}
    samples = [
        Sample(tuple({f"t{k}": drawn.choice([0.0, 1.0]) for k in range(8)} for _ in range(2)), frozenset({drawn.randrange(2)}))
        for _ in range(12)
    ]  # fmt: skip

    assert left_out_loss(samples, shipped, strength=0.2) > mean_loss(samples, shipped)


def test_what_moved_is_told_furthest_first() -> None:
    assert moved({"a": 1.0, "b": 2.0, "c": 0.0}, {"a": 1.01, "b": 1.0, "d": 0.4}) == [
        Moved("b", 2.0, 1.0), Moved("d", 0.0, 0.4),
    ]  # fmt: skip


def one_problem() -> _Problem:
    return _Problem.of([Sample(({"near": 1.0}, {"same": 2.0}), frozenset({1}))], SHIPPED, STRENGTH, REACH)


def test_a_step_that_goes_too_far_is_halved_until_it_gains() -> None:
    problem = one_problem()
    tiny = [[1e-3 if k == j else 0.0 for j in range(len(problem.names))] for k in range(len(problem.names))]

    found = problem.minimise(problem.shipped, 1e-9, tiny)

    assert found == pytest.approx(problem.minimise(problem.shipped, 1e-9), abs=1e-2)
    assert problem.value(found) < problem.value(problem.shipped)


def test_where_no_step_gains_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = one_problem()
    monkeypatch.setattr(_Problem, "_step", lambda self, at, slope, *_: [-each for each in slope])

    assert problem.minimise(problem.shipped, 1e-9) == problem.shipped


def test_the_steps_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = one_problem()
    monkeypatch.setattr("incidents.domain.refit._STEPS", 1)
    first = problem.minimise(problem.shipped, 1e-9)
    monkeypatch.setattr("incidents.domain.refit._STEPS", 50)

    assert (
        problem.value(problem.minimise(problem.shipped, 1e-9)) < problem.value(first) < problem.value(problem.shipped)
    )
