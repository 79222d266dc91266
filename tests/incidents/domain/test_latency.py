"""Sketches of latencies: within two percent, and the same whatever the parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.latency import (
    ACCURACY,
    CEILING,
    FLOOR,
    bin_of,
    merged,
    packed,
    quantile,
    sketch_of,
    unpacked,
)

SECONDS = st.floats(FLOOR, CEILING, allow_nan=False)
SKETCHES = st.dictionaries(st.integers(0, 600), st.integers(1, 2**40), max_size=30)


@given(st.lists(SECONDS, min_size=1, max_size=60), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_every_quantile_is_within_the_accuracy(values: list[float], share: float) -> None:
    exact = sorted(values)[int(share * (len(values) - 1))]

    told = quantile(sketch_of(values), share)

    assert told == pytest.approx(exact, rel=ACCURACY + 1e-9)


@given(st.lists(st.lists(SECONDS, max_size=8), max_size=5), st.randoms())
def test_parts_in_any_order_make_the_sketch_of_the_whole(parts: list[list[float]], random: object) -> None:
    whole = sketch_of(value for part in parts for value in part)
    random.shuffle(parts)  # type: ignore[attr-defined]  # a random.Random

    assert merged(map(sketch_of, parts)) == whole
    assert merged([merged(map(sketch_of, parts[:2])), *map(sketch_of, parts[2:])]) == whole


@given(SKETCHES)
def test_a_packed_sketch_comes_back(sketch: dict[int, int]) -> None:
    assert unpacked(packed(sketch)) == sketch


def test_a_sketch_is_small() -> None:
    assert len(packed(sketch_of(number / 1000 for number in range(1, 1001)))) < 500


def test_the_ends_are_told_as_the_ends() -> None:
    assert quantile(sketch_of([-3.0, 0.0, FLOOR / 9]), 0.5) == FLOOR
    assert quantile(sketch_of([CEILING * 9]), 0.5) == pytest.approx(CEILING, rel=ACCURACY)
    assert bin_of(CEILING) == 515


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert unpacked(b"") == {}


def test_a_damaged_sketch_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        unpacked(b"\x01")
