"""Words for numbers: tables of cases."""

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain import wording

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.4, "< 1 s"),
        (54, "54 s"),
        (59.999, "59 s"),
        (60, "1 min"),
        (702, "11 min 42 s"),
        (609, "10 min 09 s"),
        (1_800, "30 min"),
        (11_220, "3 h 07 min"),
        (11_256, "3 h 07 min"),
        (86_400, "1 d"),
        (183_600, "2 d 3 h"),
        (-65, "\u22121 min 05 s"),
        (dt.timedelta(minutes=3), "3 min"),
        (None, "\u2013"),
    ],
)
def test_duration_has_at_most_two_units(seconds, words):
    assert wording.duration(seconds) == words.replace(" ", NBSP)


@given(st.floats(min_value=0, max_value=1e9))
def test_duration_never_breaks_and_never_has_three_units(seconds):
    words = wording.duration(seconds)

    assert " " not in words
    assert words.count(NBSP) <= 3


@pytest.mark.parametrize(
    ("down", "observed", "words"),
    [
        (629, 28 * 86_400, "99.973 %"),
        (1, 28 * 86_400, "99.999 %"),
        (31_800, 728 * 86_400, "99.949 %"),
        (0, 10, "100 %"),
        (10, 10, "0 %"),
        (0.5, 28 * 86_400, "99.999 %"),
        (0, 0, "\u2013"),
    ],
)
def test_availability_is_floored_exactly(down, observed, words):
    assert wording.percent_up(down, observed) == words.replace(" ", NBSP)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_second_of_downtime_is_never_a_hundred_percent(down, more):
    observed = down + more

    words = wording.percent_up(down, observed)

    assert Fraction(words.split(NBSP)[0]) / 100 <= 1 - Fraction(down, observed) < 1


@pytest.mark.parametrize(
    ("ratio", "words"), [(0.9995, "99.95 %"), (0.999, "99.9 %"), (0.95, "95 %"), (1.0, "100 %"), (None, "\u2013")]
)
def test_target_is_written_as_people_write_it(ratio, words):
    assert wording.target(ratio) == words.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (2, 31, "6.5 %"),
        (0, 6, "0 %"),
        (3, 3, "100 %"),
        (1, 10_000, "0.1 %"),
        (9_999, 10_000, "99.9 %"),
        (0, 0, "\u2013"),
    ],
)
def test_rate_is_nought_only_when_there_was_none(part, whole, words):
    assert wording.rate(part, whole) == words.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0179, 0.2072, "1.8\u201320.7 %"),
        (0.0, 0.3903, "0\u201339.0 %"),
        (0.4, 0.4, "40.0 %"),
        (None, None, "\u2013"),
    ],
)
def test_range_has_one_sign(low, high, words):
    assert wording.percent_range(low, high) == words.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("ratio", "words"), [(0.97, "97 %"), (0.0001, "< 1 %"), (0.9999, "99 %"), (0.5, "50 %"), (None, "\u2013")]
)
def test_probability_is_never_certain(ratio, words):
    assert wording.probability(ratio) == words.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("value", "words"),
    [(12.4, "×12"), (7.94, "×7.9"), (0.3, "×0.3"), (0.049, "×0.049"), (1, "×1.0"), (1444.2, "×1,400"), (9.97, "×10"), (0, "×0")],
)  # fmt: skip
def test_factor_has_two_figures(value, words):
    assert wording.factor(value) == words


@pytest.mark.parametrize(
    ("names", "words"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (list("abcde"), "a, b, c and 2 more")],
)  # fmt: skip
def test_names_are_listed_as_in_a_sentence(names, words):
    assert wording.listed(names) == words


@pytest.mark.parametrize(
    "say", [wording.duration, wording.percent, wording.target, wording.probability, wording.factor, wording.count]
)
def test_the_unknown_is_a_dash(say):
    assert say(None) == "\u2013"


def test_ago_has_one_unit():
    now = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
    distances = [0.5, 38, 600, 3 * 3600, 49 * 3600, -7_200]

    words = [wording.ago(now - dt.timedelta(seconds=distance), now) for distance in distances]

    assert words == ["just now", f"38{NBSP}s ago", f"10{NBSP}min ago", f"3{NBSP}h ago", f"2{NBSP}d ago", f"in 2{NBSP}h"]
