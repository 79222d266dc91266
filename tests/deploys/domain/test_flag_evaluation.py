from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploys.domain.bucketing import WHOLE, bucket, percent_of, share_of
from deploys.domain.flag_conditions import Condition, Operator
from deploys.domain.flag_evaluation import ErrorCode, Evaluation, Reason, Unanswerable, drawn, evaluate
from deploys.domain.flag_rules import (
    DAYS,
    FlagKind,
    Kill,
    Rule,
    Rules,
    Ruleset,
    Segment,
    Serve,
    ServedFlag,
    Stage,
    Step,
    ValueType,
    always,
    stages_from,
    step_at,
    unit_of,
)

NOW = datetime(2026, 3, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
VARIANTS = {"on": True, "off": False}
GERMAN = Condition("country", Operator.IN, ("DE",))
UNITS = [f"user-{number}" for number in range(100)]
shares = st.integers(0, WHOLE)
salts = st.text(min_size=1, max_size=20)


def rollout(percent: int, *, by: str | None = None) -> Serve:
    return Serve((("on", WHOLE),), percent, "off", by)


def a_flag(rules: Rules, key: str = "cart", **more: Any) -> ServedFlag:  # Any: one value per field
    return ServedFlag(
        **{
            "key": key,
            "value_type": ValueType.BOOLEAN,
            "variants": VARIANTS,
            "off": "off",
            "salt": key,
            "rules": rules,
            **more,
        }
    )


def ruleset(*flags: ServedFlag, segments: tuple[Segment, ...] = ()) -> Ruleset:
    return Ruleset({flag.key: flag for flag in flags}, {segment.key: segment for segment in segments})


def ask(rules: Rules, context: dict[str, object] | None = None, *others: ServedFlag, at: datetime = NOW) -> Evaluation:
    return evaluate(ruleset(a_flag(rules), *others), "cart", context or {}, at)


ON = Rules(always("on"), is_on=True)


@pytest.mark.parametrize(
    ("rules", "context", "variant", "reason", "metadata"),
    [
        (ON, {}, "on", "STATIC", {}),
        (replace(ON, is_on=False), {}, "off", "DISABLED", {}),
        (replace(ON, kill=Kill("errors")), {}, "off", "DISABLED", {"killSwitch": True}),
        (replace(ON, kill=Kill("errors", until=NOW + HOUR)), {}, "off", "DISABLED", {"killSwitch": True}),
        (replace(ON, kill=Kill("errors", until=NOW)), {}, "on", "STATIC", {}),
        (replace(ON, targets={"u1": "off"}), {"targetingKey": "u1"}, "off", "TARGETING_MATCH", {}),
        (replace(ON, targets={"u1": "off"}), {"targetingKey": "u2"}, "on", "STATIC", {}),
        (replace(ON, targets={"u1": "off"}), {}, "on", "STATIC", {}),
        (replace(ON, targets={"7": "off"}), {"targetingKey": 7}, "off", "TARGETING_MATCH", {}),
        (
            replace(ON, targets={"u1": "on"}, kill=Kill("errors")), {"targetingKey": "u1"}, "off", "DISABLED",
            {"killSwitch": True},
        ),
        (replace(ON, rules=(Rule(always("off"), (GERMAN,)),)), {"country": "DE"}, "off", "TARGETING_MATCH", {"rule": "1"}),
        (replace(ON, rules=(Rule(always("off"), (GERMAN,), name="Germany"),)), {"country": "DE"}, "off", "TARGETING_MATCH", {"rule": "Germany"}),
        (replace(ON, rules=(Rule(always("off"), (GERMAN,)),)), {"country": "FR"}, "on", "STATIC", {}),
        (replace(ON, rules=(Rule(rollout(WHOLE), (GERMAN,)),)), {"country": "DE"}, "on", "TARGETING_MATCH", {"rule": "1"}),
        (
            replace(ON, rules=(Rule(Serve((("on", WHOLE), ("off", 0))), (GERMAN,)),)),
            {"country": "DE", "targetingKey": "u"}, "on", "SPLIT", {"rule": "1"},
        ),
        (Rules(rollout(0), is_on=True), {}, "off", "STATIC", {}),
        (Rules(rollout(WHOLE), is_on=True), {}, "on", "STATIC", {}),
    ],
)  # fmt: skip
def test_what_is_served(
    rules: Rules, context: dict[str, object], variant: str, reason: str, metadata: dict[str, object]
) -> None:
    assert ask(rules, context) == Evaluation("cart", variant, VARIANTS[variant], Reason(reason), metadata)


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (Rules(rollout(50_000), is_on=True), ErrorCode.TARGETING_KEY_MISSING),
        (Rules(rollout(50_000, by="customer"), is_on=True), ErrorCode.INVALID_CONTEXT),
        (Rules(Serve((("on", 50_000), ("off", 50_000))), is_on=True), ErrorCode.TARGETING_KEY_MISSING),
    ],
)
def test_a_user_who_must_be_drawn_needs_a_name(rules: Rules, code: ErrorCode) -> None:
    for context in ({}, {"targetingKey": ""}, {"targetingKey": True}, {"targetingKey": None}):
        with pytest.raises(Unanswerable) as caught:
            ask(rules, context)
        assert caught.value.code is code


def test_an_unknown_flag_is_not_found() -> None:
    with pytest.raises(Unanswerable) as caught:
        evaluate(Ruleset(), "cart", {}, NOW)

    assert caught.value.code is ErrorCode.FLAG_NOT_FOUND


def test_a_prerequisite_must_hold() -> None:
    rules = replace(ON, prerequisites=(("engine", "on"),))

    assert ask(rules).metadata == {"prerequisite": "engine"}
    assert ask(rules, {}, a_flag(replace(ON, is_on=False), "engine")).reason is Reason.DISABLED
    assert ask(rules, {}, a_flag(ON, "engine")) == Evaluation("cart", "on", True, Reason.STATIC)


def test_prerequisites_are_followed_three_deep_and_never_in_circles() -> None:
    def needing(key: str, other: str) -> ServedFlag:
        return a_flag(replace(ON, prerequisites=((other, "on"),)), key)

    three = ruleset(needing("cart", "a"), needing("a", "b"), needing("b", "c"), a_flag(ON, "c"))
    four = ruleset(needing("cart", "a"), needing("a", "b"), needing("b", "c"), needing("c", "d"), a_flag(ON, "d"))
    circle = ruleset(needing("cart", "a"), needing("a", "cart"))

    assert [evaluate(each, "cart", {}, NOW).value for each in (three, four, circle)] == [True, False, False]


def test_segments_hold_the_included_and_those_who_fulfil_all() -> None:
    segment = Segment("beta", (GERMAN,), frozenset({"in"}), frozenset({"out"}))
    rules = Rules(always("off"), is_on=True, rules=(Rule(always("on"), segments=("beta",)),))
    everything = ruleset(a_flag(rules), segments=(segment, Segment("empty")))

    def served(context: dict[str, object]) -> object:
        return evaluate(everything, "cart", context, NOW).value

    assert served({"targetingKey": "in"}) is True
    assert served({"targetingKey": "out", "country": "DE"}) is False
    assert served({"country": "DE"}) is True
    assert served({"targetingKey": "in2", "country": "FR"}) is False
    assert not Segment("empty").holds({"targetingKey": "in"})
    assert evaluate(ruleset(a_flag(rules)), "cart", {"country": "DE"}, NOW).value is False


def test_a_schedule_is_a_function_of_time() -> None:
    steps = (Step(NOW, 10_000), Step(NOW + HOUR, 50_000, waits=True), Step(NOW + 2 * HOUR, WHOLE))
    rules = Rules(rollout(0), is_on=True, schedule=steps)
    released = replace(rules, schedule=(steps[0], replace(steps[1], is_released=True), steps[2]))

    def percents(each: Rules) -> list[int]:
        return [each.default_at(NOW + hours * HOUR).percent for hours in (-1, 0, 1, 2)]

    assert percents(rules) == [0, 10_000, 10_000, 10_000]
    assert percents(released) == [0, 10_000, 50_000, WHOLE]
    assert step_at((), NOW) is None


def test_a_migration_says_its_stage() -> None:
    stages = {str(stage): str(stage) for stage in Stage}
    flag = a_flag(
        Rules(always("shadow"), is_on=True), variants=stages, value_type=ValueType.STRING, kind=FlagKind.MIGRATION
    )

    assert evaluate(ruleset(flag), "cart", {}, NOW).metadata == {"stage": "shadow"}
    assert stages_from(Stage.OFF) == (Stage.SHADOW,)
    assert stages_from(Stage.FALLBACK) == (Stage.OFF, Stage.SHADOW, Stage.COMPLETE)
    assert stages_from(Stage.COMPLETE) == (Stage.OFF, Stage.SHADOW, Stage.FALLBACK)
    assert set(DAYS) == set(FlagKind)


def test_names_of_users() -> None:
    assert unit_of({"targetingKey": "kim"}) == "kim"
    assert unit_of({"customer": 7}, "customer") == "7"
    assert unit_of({"targetingKey": ["kim"]}) is None
    assert Serve((("a", WHOLE), ("b", 0)), 0, "c").variants == ("c",)
    assert rollout(1).variants == ("on", "off")


def test_a_split_without_weights_that_sum_serves_its_last() -> None:
    """Documents cannot say this; a fold of old data must still answer."""
    assert drawn(Serve((("on", 0), ("off", 0))), "salt", {"targetingKey": "u"}) == ("off", True)


# -- properties ------------------------------------------------------------------------------------------------------


@given(salts, st.text())
def test_buckets_are_stable_and_in_range(salt: str, unit: str) -> None:
    assert bucket(salt, unit) == bucket(salt, unit)
    assert 0 <= bucket(salt, unit) < WHOLE


def test_a_known_bucket_stays() -> None:
    """Whoever changes the arithmetic moves the users of every instance."""
    assert [bucket("salt", unit) for unit in ("user-1", "user-2", "æ")] == [89_901, 54_623, 23_431]


@given(salts, shares, shares)
def test_raising_a_percentage_only_adds_users(salt: str, one: int, other: int) -> None:
    low, high = sorted((one, other))

    def reached(percent: int) -> set[str]:
        return {unit for unit in UNITS if drawn(rollout(percent), salt, {"targetingKey": unit})[0] == "on"}

    assert reached(low) <= reached(high)


@given(salts, shares, shares, st.integers(0, WHOLE))
def test_raising_a_percentage_moves_nobody_between_variants(salt: str, one: int, other: int, weight: int) -> None:
    low, high = sorted((one, other))
    split = (("a", weight), ("b", WHOLE - weight))

    for unit in UNITS[:60]:
        before, _ = drawn(Serve(split, low, "off"), salt, {"targetingKey": unit})
        after, _ = drawn(Serve(split, high, "off"), salt, {"targetingKey": unit})
        assert before in {after, "off"}


@given(st.text(min_size=1, max_size=30), shares)
def test_a_rename_changes_nobody(name: str, percent: int) -> None:
    flag = a_flag(Rules(rollout(percent), is_on=True), salt="kept")
    renamed = replace(flag, key=name)

    for unit in UNITS[:60]:
        before = evaluate(ruleset(flag), "cart", {"targetingKey": unit}, NOW)
        assert evaluate(ruleset(renamed), name, {"targetingKey": unit}, NOW).value == before.value


@settings(max_examples=25)
@given(st.integers(0, 10**9))
def test_flags_of_different_salts_are_independent(seed: int) -> None:
    """Of the tenth that one flag reaches, a tenth is reached by another: 40 of 4,000 expected, sd 6.3."""
    both = sum(
        bucket(f"a{seed}", str(unit)) < 10_000 and bucket(f"b{seed}", str(unit)) < 10_000 for unit in range(4_000)
    )

    assert 5 <= both <= 85  # five and a half sd below, seven above


@settings(max_examples=25)
@given(salts, shares)
def test_shares_are_met(salt: str, percent: int) -> None:
    """Binomial: 4,000 units, sd at most 0.8 %; six of them."""
    reached = sum(bucket(salt, str(unit)) < percent for unit in range(4_000)) / 4_000

    assert abs(reached - percent / WHOLE) < 0.048


@given(st.floats(0, 100))
def test_percentages_are_kept_to_a_thousandth(percent: float) -> None:
    assert abs(percent_of(share_of(percent)) - percent) <= 0.0005 + 1e-9
    assert isinstance(percent_of(share_of(round(percent))), int)
