from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.flag_conditions import Condition, Operator, Scalar, semver_key

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9)


@pytest.mark.parametrize(
    ("operator", "values", "given_value", "expected"),
    [
        ("in", ("DE", "AT"), "AT", True),
        ("in", ("DE", "AT"), "FR", False),
        ("in", (1,), 1.0, True),
        ("in", (1,), True, False),
        ("in", (True,), True, True),
        ("in", ("1",), 1, False),
        ("in", ("beta",), ["alpha", "beta"], True),
        ("in", ("beta",), ["alpha"], False),
        ("in", ("x",), {"x": 1}, False),
        ("contains", ("@acme",), "kim@acme.example", True),
        ("contains", ("@acme",), 7, False),
        ("starts_with", ("a", "k"), "kim", True),
        ("ends_with", (".example",), "kim@acme.example", True),
        ("ends_with", (".org",), "kim@acme.example", False),
        ("contains", (1,), "1", False),
        ("lt", (10,), 9.5, True),
        ("le", (10,), 10, True),
        ("gt", (10,), 10, False),
        ("ge", (10,), "10", True),
        ("gt", (10,), True, False),
        ("gt", (10,), "many", False),
        ("gt", (10,), "inf", False),
        ("gt", ("x",), 11, False),
        ("gt", (10,), 10**400, False),
        ("semver_ge", ("1.4.0",), "v1.4", True),
        ("semver_ge", ("1.4.0",), "1.4.0-rc.1", False),
        ("semver_lt", ("1.4.0",), "1.4.0-rc.1", True),
        ("semver_eq", ("1.4.0",), "1.4.0+build.7", True),
        ("semver_lt", ("1.10.0",), "1.9.9", True),
        ("semver_ge", ("1.0.0",), "newest", False),
        ("semver_ge", ("1.0.0",), 2, False),
        ("semver_ge", ("none",), "2.0.0", False),
        ("exists", (), "", True),
        ("exists", (), None, False),
    ],
)
def test_conditions(operator: str, values: tuple[Scalar, ...], given_value: object, expected: bool) -> None:
    condition = Condition("a", Operator(operator), values)
    negated = Condition("a", Operator(operator), values, is_negated=True)

    assert condition.holds({"a": given_value}) is expected
    assert negated.holds({"a": given_value}) is not expected


@pytest.mark.parametrize("operator", list(Operator))
def test_a_missing_attribute_is_a_no(operator: Operator) -> None:
    assert not Condition("a", operator, ("1",)).holds({})
    assert Condition("a", operator, ("1",), is_negated=True).holds({})


def test_attributes_inside_others_are_reached_by_dots() -> None:
    plan = Condition("user.plan", Operator.IN, ("pro",))

    assert plan.holds({"user": {"plan": "pro"}})
    assert plan.holds({"user.plan": "pro", "user": {"plan": "free"}})
    assert not plan.holds({"user": "pro"})


def test_versions_are_ordered_as_the_specification_lists_them() -> None:
    """Semantic Versioning 2.0.0, section 11."""
    ordered = [
        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
        "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0",
    ]  # fmt: skip

    assert sorted(sorted(ordered), key=lambda version: semver_key(version) or ()) == ordered


@given(st.text() | NUMBERS | st.booleans() | st.none() | st.lists(st.text()), st.sampled_from(list(Operator)))
def test_no_value_of_a_stranger_raises(value: object, operator: Operator) -> None:
    assert isinstance(Condition("a", operator, ("1.0.0", 3)).holds({"a": value}), bool)


@given(NUMBERS, NUMBERS)
def test_numbers_are_either_below_or_at_least(left: float, right: float) -> None:
    below = Condition("a", Operator.LESS, (right,)).holds({"a": left})

    assert below is not Condition("a", Operator.AT_LEAST, (right,)).holds({"a": left})
    assert below is Condition("a", Operator.GREATER, (left,)).holds({"a": right})
