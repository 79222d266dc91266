from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploys.domain.bucketing import WHOLE
from deploys.domain.flag_conditions import Condition, Operator
from deploys.domain.flag_evaluation import drawn
from deploys.domain.flag_exposure import Exposure, exposure
from deploys.domain.flag_preview import Move, condition_in_words, moved_share, preview, serve_in_words
from deploys.domain.flag_rules import Kill, Rule, Rules, Serve, Step, always

NOW = datetime(2026, 3, 9, tzinfo=UTC)
GERMAN = Condition("country", Operator.IN, ("DE",))
SAID = {"attribute": "country", "operator": "in", "values": ["DE"]}
HALF = Serve((("on", WHOLE),), 50_000, "off")
BOTH = Serve((("a", 50_000), ("b", 50_000)))
ON, OFF = Rules(always("on"), is_on=True), Rules(always("off"), is_on=True)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (ON, Exposure(100)),
        (OFF, Exposure(0)),
        (replace(ON, is_on=False), Exposure(0)),
        (replace(ON, kill=Kill("errors")), Exposure(0)),
        (replace(ON, kill=Kill("errors", until=NOW)), Exposure(100)),
        (Rules(HALF, is_on=True), Exposure(50)),
        (Rules(HALF, is_on=True, schedule=(Step(NOW, 20_000),)), Exposure(20)),
        (Rules(BOTH, is_on=True), Exposure(100, {"split": {"a": 50, "b": 50}})),
        (Rules(Serve((("a", 50_000), ("off", 50_000))), is_on=True), Exposure(50)),
        (Rules(Serve((("off", WHOLE),), 30_000, "on"), is_on=True), Exposure(70)),
        (replace(ON, prerequisites=(("engine", "on"),)), Exposure(100, {"prerequisites": ["engine"]})),
        (replace(OFF, rules=(Rule(always("off"), (GERMAN,)),)), Exposure(0)),
        (replace(ON, rules=(Rule(always("on"), (GERMAN,)),)), Exposure(100)),
        (
            replace(OFF, rules=(Rule(always("on"), (GERMAN,)),)),
            Exposure(100, {"rules": [{"percent": 100, "conditions": [SAID]}]}),
        ),
        (
            replace(ON, rules=(Rule(HALF, segments=("beta",)),)),
            Exposure(100, {"rules": [{"percent": 50, "segments": ["beta"]}]}),
        ),
        (replace(OFF, targets={"u": "on"}), Exposure(0.001, {"targets": 1})),
        (replace(ON, targets={"u": "off"}), Exposure(100, {"targets": 1})),
    ],
)
def test_what_the_history_is_told(rules: Rules, expected: Exposure) -> None:
    assert exposure(rules, "off", NOW) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (always("off"), always("on"), 1),
        (always("on"), HALF, 0.5),
        (HALF, replace(HALF, percent=60_000), 0.1),
        (HALF, HALF, 0),
        (BOTH, Serve((("a", 75_000), ("b", 25_000))), 0.25),
        (Serve(BOTH.split, 20_000, "off"), Serve(BOTH.split, 30_000, "off"), 0.1),
        (Serve(BOTH.split, 20_000, "off"), Serve((("a", WHOLE),), 20_000, "off"), 0.1),
        (HALF, replace(HALF, by="customer"), 1),
        (always("on"), replace(always("on"), by="customer"), 0),
        (Serve((("a", 0), ("b", 0))), always("b"), 0),
    ],
)
def test_how_many_users_move(before: Serve, after: Serve, expected: float) -> None:
    assert moved_share(before, after) == pytest.approx(expected)
    assert moved_share(after, before) == pytest.approx(expected)


serves = st.builds(
    lambda weight, percent, rest: Serve((("a", weight), ("b", WHOLE - weight)), percent, rest),
    st.integers(0, WHOLE), st.integers(0, WHOLE), st.sampled_from(["a", "off", None]),
)  # fmt: skip


@settings(max_examples=25)
@given(serves, serves)
def test_the_share_is_what_drawing_gives(before: Serve, after: Serve) -> None:
    """2,000 users: sd at most 1.1 %, five of them."""
    contexts = [{"targetingKey": str(number)} for number in range(2_000)]
    moved = sum(drawn(before, "salt", each)[0] != drawn(after, "salt", each)[0] for each in contexts) / 2_000

    assert abs(moved - moved_share(before, after)) < 0.056


RULE = Rule(always("on"), (GERMAN,))
OTHER = Rule(HALF, segments=("beta",), name="Beta")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ON, ON, []),
        (replace(OFF, is_on=False), replace(ON, is_on=False), []),
        (OFF, ON, [Move("everybody", "off", "on", 1)]),
        (replace(ON, is_on=False), ON, [Move("everybody by default", "off", "on", 1)]),
        (ON, replace(ON, kill=Kill("errors")), [Move("everybody by default", "on", "off", 1)]),
        (Rules(HALF, is_on=True), ON, [Move("everybody", "on for 50 %, else off", "on", 0.5)]),
        (
            replace(OFF, rules=(RULE,)), replace(OFF, rules=(replace(RULE, serve=HALF),)),
            [Move("country is DE", "on", "on for 50 %, else off", 0.5)],
        ),
        (OFF, replace(OFF, rules=(OTHER,)), [Move("Beta (in segment beta)", "no rule", "on for 50 %, else off", None)]),
        (replace(OFF, rules=(RULE,)), OFF, [Move("country is DE", "on", "no rule", None)]),
        (
            replace(OFF, rules=(RULE, OTHER)), replace(OFF, rules=(OTHER, RULE)),
            [Move("users whom several rules fit", "rules in the old order", "rules in the new order", None)],
        ),
        (replace(OFF, rules=(RULE, OTHER)), replace(OFF, rules=(RULE, OTHER), targets={}), []),
        (OFF, replace(OFF, targets={"u": "on"}), [Move("individual users", "0", "1", None)]),
        (
            replace(ON, prerequisites=(("engine", "on"),)), ON,
            [Move("what must hold first", "engine is on", "nothing", None)],
        ),
        (
            replace(OFF, rules=(RULE,), targets={"u": "on"}), replace(OFF, rules=(RULE,), targets={"u": "on"}, is_on=False),
            [Move("users of rules and targets", "2 rules", "off", None)],
        ),
        (
            replace(OFF, rules=(RULE,), is_on=False), replace(OFF, rules=(RULE,)),
            [Move("users of rules and targets", "off", "1 rule", None)],
        ),
    ],
)  # fmt: skip
def test_whom_a_change_moves(before: Rules, after: Rules, expected: list[Move]) -> None:
    assert preview(before, after, "off", NOW) == expected


def test_a_preview_looks_at_its_instant() -> None:
    ended = replace(ON, kill=Kill("errors", until=NOW - timedelta(hours=1)))

    assert preview(ended, ON, "off", NOW) == []


def test_words() -> None:
    negated = Condition("country", Operator.IN, ("DE", "AT"), is_negated=True)

    assert condition_in_words(negated) == "country is not DE or AT"
    assert condition_in_words(Condition("plan", Operator.EXISTS)) == "plan is known"
    assert condition_in_words(Condition("age", Operator.AT_LEAST, (18,), is_negated=True)) == "age not: is at least 18"
    assert serve_in_words(replace(HALF, by="customer")) == "on for 50 %, else off, drawn by customer"
    assert serve_in_words(BOTH) == "a 50 % or b 50 %"
