from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.bucketing import WHOLE
from deploys.domain.flag_conditions import NUMBERS, TEXT, VERSIONS, Condition, Operator
from deploys.domain.flag_documents import InvalidRules, document_of, rules_of, segment_document, segment_of
from deploys.domain.flag_rules import Kill, Rule, Rules, Segment, Serve, Step

VARIANTS = ("on", "off", "other")
START = datetime(2026, 3, 9, tzinfo=UTC)
names = st.text("abcxyz-", min_size=1, max_size=8)
instants = st.integers(0, 10**6).map(lambda minutes: START + timedelta(minutes=minutes))
shares = st.integers(0, WHOLE)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from(list(Operator)))
    value: st.SearchStrategy[Any] = names | st.integers(-9, 9) | st.booleans()
    if operator in NUMBERS:
        value = st.integers(-9, 9) | st.floats(-1, 1)
    elif operator in VERSIONS:
        value = st.sampled_from(["1.0.0", "v2.1", "3.0.0-rc.1"])
    elif operator in TEXT:
        value = names
    many = [] if operator is Operator.EXISTS else draw(st.lists(value, min_size=1, max_size=3))
    return Condition(draw(names), operator, tuple(many), is_negated=draw(st.booleans()))


@st.composite
def serves(draw: st.DrawFn, *, has_rest: bool = False) -> Serve:
    weight = draw(shares)
    split = draw(st.sampled_from([(("on", WHOLE),), (("on", weight), ("other", WHOLE - weight))]))
    by = draw(st.none() | names)
    if has_rest or draw(st.booleans()):
        return Serve(split, draw(shares), "off", by)
    return Serve(split, by=by)


@st.composite
def all_rules(draw: st.DrawFn) -> Rules:
    times = sorted(set(draw(st.lists(instants, max_size=3))))
    waits = st.sampled_from([{}, {"waits": True}, {"waits": True, "needs_health": True}])
    schedule = tuple(Step(at, draw(shares), is_released=draw(st.booleans()), **draw(waits)) for at in times)
    kill = st.builds(Kill, reason=names, by=names | st.just(""), at=st.none() | instants, until=st.none() | instants)
    rule = st.builds(
        Rule, serve=serves(), conditions=st.lists(conditions(), min_size=1, max_size=2).map(tuple),
        segments=st.lists(names, max_size=2).map(tuple), name=names | st.just(""),
    )  # fmt: skip
    return Rules(
        default=draw(serves(has_rest=bool(schedule))),
        is_on=draw(st.booleans()),
        kill=draw(st.none() | kill),
        targets=draw(st.dictionaries(names, st.sampled_from(VARIANTS), max_size=3)),
        rules=tuple(draw(st.lists(rule, max_size=3))),
        prerequisites=tuple(draw(st.lists(st.tuples(names, names), max_size=2))),
        schedule=schedule,
    )


@given(all_rules())
def test_documents_are_read_back_alike(rules: Rules) -> None:
    assert rules_of(json.loads(json.dumps(document_of(rules))), VARIANTS) == rules


@given(st.lists(conditions(), max_size=3), st.frozensets(names, max_size=3), st.frozensets(names, max_size=3))
def test_segments_are_read_back_alike(
    wanted: list[Condition], included: frozenset[str], excluded: frozenset[str]
) -> None:
    segment = Segment("beta", tuple(wanted), included, excluded)

    assert segment_of("beta", json.loads(json.dumps(segment_document(segment)))) == segment


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["on", "default", "rules", "variant", "split", "percent", "rest", "serve", "conditions", "x"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(json_values)
def test_no_document_raises_anything_else(said: object) -> None:
    with suppress(InvalidRules):
        rules_of(said, VARIANTS)


ON = {"variant": "on"}
WRONG: list[tuple[object, str]] = [
    ([], ""),
    ({}, "/default"),
    ({"default": ON, "defualt": ON}, "/defualt"),
    ({"default": {}}, "/default"),
    ({"default": {"variant": "on", "split": []}}, "/default"),
    ({"default": {"variant": "blue"}}, "/default/variant"),
    ({"default": {"split": [{"variant": "on", "percent": 50}, {"variant": "off", "percent": 49}]}}, "/default/split"),
    ({"default": {"split": [{"variant": "blue", "percent": 100}]}}, "/default/split/0/variant"),
    ({"default": {"split": {"on": 100}}}, "/default/split"),
    ({"default": {"split": [{"variant": "on", "percent": -1}]}}, "/default/split/0/percent"),
    ({"default": {"split": [{"variant": "on", "percent": 50}, {"variant": "on", "percent": 50}]}}, "/default/split"),
    ({"default": {"variant": "on", "percent": 10}}, "/default"),
    ({"default": {"variant": "on", "percent": True, "rest": "off"}}, "/default/percent"),
    ({"default": {"variant": "on", "percent": 101, "rest": "off"}}, "/default/percent"),
    ({"default": {"variant": "on", "by": ""}}, "/default/by"),
    ({"default": ON, "on": "yes"}, "/on"),
    ({"default": ON, "kill": {}}, "/kill/reason"),
    ({"default": ON, "kill": {"reason": "errors", "until": "tomorrow"}}, "/kill/until"),
    ({"default": ON, "targets": {}}, "/targets"),
    ({"default": ON, "targets": [ON] * 4}, "/targets"),
    ({"default": ON, "targets": [{"variant": "blue", "units": []}]}, "/targets/0/variant"),
    ({"default": ON, "targets": [{"variant": "on", "units": [{}]}]}, "/targets/0/units/0"),
    ({"default": ON, "targets": [{"variant": "on", "units": ["u"]}, {"variant": "off", "units": ["u"]}]}, "/targets/1/units"),
    ({"default": ON, "rules": [{"serve": ON}]}, "/rules/0"),
    ({"default": ON, "rules": [{"conditions": [{"attribute": "a", "operator": "matches"}], "serve": ON}]}, "/rules/0/conditions/0/operator"),
    ({"default": ON, "rules": [{"conditions": [{"attribute": "a", "operator": "in"}], "serve": ON}]}, "/rules/0/conditions/0/values"),
    ({"default": ON, "rules": [{"conditions": [{"attribute": "a", "operator": "exists", "values": [1]}], "serve": ON}]}, "/rules/0/conditions/0/values"),
    ({"default": ON, "rules": [{"conditions": [{"attribute": "a", "operator": "lt", "values": ["x"]}], "serve": ON}]}, "/rules/0/conditions/0/values/0"),
    ({"default": ON, "rules": [{"conditions": [{"attribute": "a", "operator": "semver_lt", "values": ["x"]}], "serve": ON}]}, "/rules/0/conditions/0/values/0"),
    ({"default": ON, "rules": [{"conditions": [{"attribute": "a", "operator": "in", "values": [None]}], "serve": ON}]}, "/rules/0/conditions/0/values/0"),
    ({"default": ON, "rules": [{"segments": ["beta"], "serve": {"variant": "blue"}}]}, "/rules/0/serve/variant"),
    ({"default": ON, "prerequisites": [{"flag": "a"}]}, "/prerequisites/0/variant"),
    ({"default": ON, "schedule": [{"at": "2026-03-09T00:00:00Z", "percent": 10}]}, "/schedule"),
    ({"default": ON, "schedule": [{"at": "2026-03-09T00:00:00Z", "percent": 10, "waits": "luck"}]}, "/schedule/0/waits"),
    ({"default": ON, "schedule": [{"at": "2026-03-09T00:00:00Z", "percent": 10}, {"at": "2026-03-09T00:00:00Z", "percent": 20}]}, "/schedule"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "pointer"), WRONG)
def test_what_is_wrong_is_named(said: object, pointer: str) -> None:
    with pytest.raises(InvalidRules) as caught:
        rules_of(said, VARIANTS)

    assert caught.value.pointer == pointer
    assert caught.value.detail in str(caught.value)


def test_a_number_names_a_user_as_its_digits() -> None:
    said = {"default": ON, "targets": [{"variant": "on", "units": [7]}]}

    assert rules_of(said, VARIANTS).targets == {"7": "on"}
