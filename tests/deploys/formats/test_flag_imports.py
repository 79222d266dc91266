"""Files of other flag systems: what is carried over means the same here, and what does not is left out with its reason."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.flag_documents import InvalidRules, rules_of
from deploys.domain.flag_evaluation import evaluate
from deploys.domain.flag_rules import Ruleset, ServedFlag
from deploys.domain.flag_variants import variants_of
from deploys.formats.flag_exports import read_flagsmith, read_unleash
from deploys.formats.flag_import import Import, ImportedFlag, type_of
from deploys.formats.flagd import read_flagd

NOW = datetime(2026, 3, 9, tzinfo=UTC)


def served(flag: ImportedFlag, context: dict[str, Any]) -> Any:
    """What the imported flag serves."""
    variants = variants_of(flag.value_type, flag.variants)
    rules = rules_of(flag.document, list(variants))
    return evaluate(
        Ruleset({flag.key: ServedFlag(flag.key, flag.value_type, variants, flag.off, "s", rules)}),
        flag.key,
        context,
        NOW,
    ).value


def flagd(targeting: object, **more: Any) -> Import:
    variants = {"a": "A", "b": "B", "none": "N"}
    flag = {"state": "ENABLED", "variants": variants, "defaultVariant": "none", "targeting": targeting}
    return read_flagd({"flags": {"f": {**flag, **more}}})


VAR = {"var": "x"}


@pytest.mark.parametrize(
    ("condition", "fits", "misses"),
    [
        ({"==": [VAR, "1"]}, ["1"], ["2", None]),
        ({"===": ["1", VAR]}, ["1"], ["2"]),
        ({"!=": [VAR, "1"]}, ["2", None], ["1"]),
        ({"in": [VAR, ["1", "2"]]}, ["2"], ["3", None]),
        ({"in": ["@acme", VAR]}, ["kim@acme.example"], ["kim", None]),
        ({"starts_with": [VAR, "ab"]}, ["abc"], ["cab"]),
        ({"ends_with": [VAR, "ab"]}, ["cab"], ["abc"]),
        ({">=": [VAR, 18]}, [18, 19], [17, None]),
        ({"<": [18, VAR]}, [19], [18, 17]),
        ({"sem_ver": [VAR, "=", "2.0.0"]}, ["2.0.0"], ["2.0.1", None]),
        ({"sem_ver": [VAR, ">", "2.0.0"]}, ["2.0.1"], ["2.0.0", "1.0.0", None]),
        ({"sem_ver": [VAR, "<=", "2.0.0"]}, ["2.0.0", "1.9.0"], ["2.0.1", None]),
        ({"sem_ver": [VAR, "!=", "2.0.0"]}, ["2.0.1", "1.9.0"], ["2.0.0"]),
        ({"and": [{">=": [VAR, 1]}, {"<": [VAR, 3]}]}, [1, 2], [0, 3]),
        ({"or": [{"==": [VAR, "1"]}, {"==": [VAR, "2"]}]}, ["1", "2"], ["3"]),
        ({"and": [{"or": [{"==": [VAR, "1"]}, {"==": [VAR, "2"]}]}, {"!=": [VAR, "2"]}]}, ["1"], ["2", "3"]),
        ({"!": [{"or": [{"==": [VAR, "1"]}, {"==": [VAR, "2"]}]}]}, ["3", None], ["1", "2"]),
        ({"!": {"==": [VAR, "1"]}}, ["2"], ["1"]),
        ({"$ref": "isOne"}, ["1"], ["2"]),
    ],
)  # fmt: skip
def test_conditions_of_flagd_mean_the_same(condition: object, fits: list[Any], misses: list[Any]) -> None:
    found = read_flagd(
        {
            "$evaluators": {"isOne": {"==": [VAR, "1"]}},
            "flags": [
                {
                    "key": "f",
                    "state": "ENABLED",
                    "variants": {"a": "A", "b": "B"},
                    "defaultVariant": "b",
                    "targeting": {"if": [condition, "a"]},
                }
            ],
        }
    )

    assert found.left_out == {}
    [flag] = found.flags
    assert [served(flag, {"x": value}) for value in fits] == ["A"] * len(fits)
    assert [served(flag, {} if value is None else {"x": value}) for value in misses] == ["B"] * len(misses)


def test_chains_and_nested_choices_keep_their_order() -> None:
    inner = {"if": [{"==": [{"var": "y"}, "1"]}, "b", None]}
    [flag] = flagd({"if": [{"==": [VAR, "1"]}, inner, {"==": [VAR, "2"]}, "a", "b"]}).flags

    answers = [served(flag, each) for each in ({"x": "1", "y": "1"}, {"x": "1"}, {"x": "2"}, {"x": "3"})]
    assert answers == ["B", "N", "A", "B"]


def test_splits_keep_their_shares_and_attribute() -> None:
    by_mail = {"cat": [{"var": "$flagd.flagKey"}, {"var": "email"}]}
    [flag] = flagd({"fractional": [by_mail, ["a", 1], ["b", 3]]}).flags

    found = [served(flag, {"email": str(number)}) for number in range(2_000)]

    assert flag.document["default"]["by"] == "email"
    assert 380 < found.count("A") < 620  # 500 expected, sd 19
    assert found.count("N") == 0


@pytest.mark.parametrize(
    ("targeting", "why"),
    [
        ({"if": [{"sem_ver": [VAR, "^", "2.0.0"]}, "a"]}, "compare versions by ^"),
        ({"if": [{"==": [{"var": "$flagd.timestamp"}, 1]}, "a"]}, "read $flagd.timestamp"),
        ({"if": [{"%": [VAR, 2]}, "a"]}, "use %"),
        ({"if": [{"==": [VAR, "1"]}, "blue"]}, "serve blue"),
        ({"if": [{"==": [VAR, "1"]}, {"var": "z"}]}, "use var"),
        ({"if": [{"$ref": "nobody"}, "a"]}, "refer to nobody"),
        ({"if": ["yes", "a"]}, "no operation"),
        ({"if": [{"!": [{"and": [{"==": [VAR, 1]}, {"==": [VAR, 2]}]}]}, "a"]}, "negate several"),
        ({"if": [{"or": [{"==": [VAR, each]} for each in range(30)]}, "a"]}, "20 alternatives"),
        ({"fractional": [{"cat": [VAR, VAR]}, ["a", 1]]}, "more than one attribute"),
        ({"fractional": [["a", {"-": [1, 1]}], ["b", 1]]}, "changes by itself"),
        ({"fractional": [["blue", 1]]}, "no variant with a weight"),
        ({"fractional": []}, "empty"),
    ],
)
def test_what_flagd_says_beyond_us_is_left_out_with_its_reason(targeting: object, why: str) -> None:
    found = flagd(targeting)

    assert found.flags == []
    assert why in found.left_out["f"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"defaultVariant": None}, "the code decides"),
        ({"defaultVariant": "blue"}, "none of its variants"),
        ({"variants": {}}, "several types, or there are none"),
        ({"variants": {"none": 1, "b": "x"}}, "several types"),
        ({"variants": {"none": None}}, "null"),
    ],
)
def test_flags_of_flagd_that_cannot_be(more: dict[str, Any], why: str) -> None:
    assert why in flagd(None, **more).left_out["f"]


#: Which flags of each file are carried over, and which are not.
FLAGD: dict[str, tuple[set[str], set[str]]] = {
    "examples.minimal.json": ({"myFlag"}, set()),
    "test.flags.positive.no-default-variant.json": (set(), {"myBoolFlag"}),
    "test.flags.negative.empty-variants.json": (set(), {"myBoolFlag"}),
    "test.flags.negative.mixed-variant-types.ffconfig.json": (set(), {"myBoolFlag"}),
    "test.flags.positive.with-metadata.json": ({"headerColor"}, set()),
}


@pytest.mark.conformance
@pytest.mark.parametrize("name", sorted(FLAGD))
def test_recorded_definitions(shared: Path, name: str) -> None:
    found = read_flagd(json.loads((shared / "fixtures" / "flagd" / name).read_text()))

    assert ({flag.key for flag in found.flags}, set(found.left_out)) == FLAGD[name]
    for flag in found.flags:
        rules_of(flag.document, [each["name"] for each in flag.variants])


@pytest.mark.conformance
def test_the_recorded_export_of_unleash(shared: Path) -> None:
    found = read_unleash(json.loads((shared / "fixtures" / "unleash" / "export.json").read_text()), "production")

    kinds = {flag.key: (str(flag.kind), flag.document["on"]) for flag in found.flags}
    assert kinds == {
        "new-checkout": ("release", True),
        "kill-psp": ("kill_switch", False),
        "old-cart": ("experiment", True),
    }
    by_key = {flag.key: flag for flag in found.flags}
    assert served(by_key["old-cart"], {}) is True
    assert served(by_key["new-checkout"], {"country": "FR", "targetingKey": "u"}) is False
    austrians = [served(by_key["new-checkout"], {"country": "AT", "targetingKey": str(each)}) for each in range(1_000)]
    assert 420 < austrians.count(True) < 580


def unleash(*strategies: dict[str, Any], **more: Any) -> Import:
    return read_unleash(
        {
            "features": [{"name": "f", "type": "release", **more}],
            "featureEnvironments": [{"featureName": "f", "environment": "Production", "enabled": True}],
            "featureStrategies": [{"featureName": "f", **each} for each in strategies],
        },
        "production",
    )


GERMAN = {"contextName": "country", "operator": "IN", "values": ["DE"]}


def test_strategies_of_unleash_are_any_of() -> None:
    half = {"name": "flexibleRollout", "parameters": {"rollout": "0", "stickiness": "userId"}}
    users = {"name": "userWithId", "parameters": {"userIds": "kim, ann"}}
    [flag] = unleash(half, {"name": "default", "constraints": [GERMAN]}, users).flags

    assert served(flag, {"country": "DE"}) is True
    assert served(flag, {"targetingKey": "ann"}) is True
    assert served(flag, {"targetingKey": "bob", "country": "FR"}) is False
    [everybody] = unleash(half, {"name": "default"}).flags
    assert served(everybody, {}) is True
    [nobody] = unleash({"name": "default", "disabled": True}).flags
    assert served(nobody, {}) is False


def test_constraints_of_unleash_mean_the_same() -> None:
    def one(constraint: dict[str, Any], context: dict[str, Any]) -> Any:
        [flag] = unleash({"name": "default", "constraints": [constraint]}).flags
        return served(flag, context)

    assert one({**GERMAN, "operator": "NOT_IN"}, {"country": "FR"}) is True
    assert one({**GERMAN, "operator": "NOT_IN", "inverted": True}, {"country": "FR"}) is False
    assert one({**GERMAN, "inverted": True}, {"country": "FR"}) is True
    assert one({"contextName": "age", "operator": "NUM_GTE", "value": "18"}, {"age": 18}) is True
    assert one({"contextName": "userId", "operator": "STR_ENDS_WITH", "values": ["x"]}, {"targetingKey": "ax"}) is True


PART = {"name": "flexibleRollout", "parameters": {"rollout": "5", "stickiness": "default"}}


@pytest.mark.parametrize(
    ("strategies", "more", "why"),
    [
        ([], {"archived": True}, "archived"),
        ([], {"variants": [{}]}, "variants"),
        ([PART, PART], {}, "several of its strategies"),
        ([{"name": "remoteAddress"}], {}, "remoteAddress"),
        ([{**PART, "segments": [1]}], {}, "segments"),
        ([{**PART, "parameters": {"rollout": "x"}}], {}, "no number"),
        ([{**PART, "parameters": {"rollout": "5", "stickiness": "random"}}], {}, "drawn by random"),
        ([{**PART, "constraints": [{**GERMAN, "operator": "DATE_AFTER"}]}], {}, "DATE_AFTER"),
        ([{**PART, "constraints": [{**GERMAN, "caseInsensitive": True}]}], {}, "country"),
        ([{**PART, "constraints": [{"contextName": "a", "operator": "NUM_GT", "value": "x"}]}], {}, "no number"),
    ],
)
def test_what_unleash_says_beyond_us_is_left_out(strategies: list[Any], more: dict[str, Any], why: str) -> None:
    found = unleash(*strategies, **more)

    assert found.flags == []
    assert why in found.left_out["f"]


def test_flags_of_flagsmith() -> None:
    def state(name: str, **more: Any) -> dict[str, Any]:
        return {"feature": {"name": name}, "enabled": True, "feature_state_value": None, **more}

    listed = [
        state("on"),
        state("off", enabled=False),
        state("value", feature_state_value="x"),
        state("several", multivariate_feature_state_values=[1]),
    ]
    document = {"feature_states": listed, "project": {"segments": [{"feature_states": [state("on")]}]}}

    assert {flag.key: flag.document["on"] for flag in read_flagsmith(listed).flags} == {"on": True, "off": False}
    assert set(read_flagsmith(listed).left_out) == {"value", "several"}
    assert [flag.key for flag in read_flagsmith(document).flags] == ["off"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["a", "ENABLED", "IN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["flags", "variants", "targeting", "if", "fractional", "var", "==", "and", "features", "name", "a", "or", "!"]),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(json_values)
def test_no_file_raises_anything(said: Any) -> None:
    given_object = (
        said
        if isinstance(said, dict)
        else {"flags": {"f": {"variants": {"a": "A"}, "defaultVariant": "a", "targeting": said}}}
    )
    found = [read_flagd(given_object), read_unleash(given_object, "production"), read_flagsmith(said)]

    for each in found:
        for flag in each.flags:
            with suppress(InvalidRules):
                rules_of(flag.document, [row["name"] for row in flag.variants])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2.5], "float"),
        ([1, 2], "integer"),
        ([{"a": 1}, []], "object"),
        ([True, False], "boolean"),
        (["x"], "string"),
    ],
)
def test_types_of_values(values: list[Any], expected: str) -> None:
    assert type_of(values) == expected


def test_a_rollout_with_conditions_is_a_rule_and_an_empty_var_none() -> None:
    [flag] = unleash({**PART, "parameters": {"rollout": "0", "stickiness": "tenant"}, "constraints": [GERMAN]}).flags

    assert flag.document["rules"][0]["serve"]["by"] == "tenant"
    assert served(flag, {"country": "DE"}) is False
    assert "no like here" in flagd({"if": [{"==": [{"var": ""}, "1"]}, "a"]}).left_out["f"]
    assert "no like here" in flagd({"if": [{"~": [VAR, "1"]}, "a"]}).left_out["f"]
    [whole] = unleash({**PART, "parameters": {"rollout": "100"}}).flags
    assert served(whole, {}) is True


def test_flagd_may_serve_a_bare_truth() -> None:
    variants = {"true": True, "false": False}
    [flag] = flagd({"if": [{"==": [VAR, "1"]}, True, False]}, variants=variants, defaultVariant="false").flags

    assert [served(flag, {"x": value}) for value in ("1", "2")] == [True, False]
