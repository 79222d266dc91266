from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploys.domain.flag_documents import InvalidRules
from deploys.domain.flag_rules import FlagKind, ValueType
from deploys.domain.flag_variants import (
    BOOLEAN,
    MIGRATION,
    due_at,
    is_key,
    is_lasting,
    stages_ok,
    variants_document,
    variants_of,
)

NOW = datetime(2026, 3, 9, tzinfo=UTC)


def two(first: object, second: object) -> list[dict[str, object]]:
    return [{"name": "a", "value": first}, {"name": "b", "value": second}]


@pytest.mark.parametrize(
    ("value_type", "first", "second"),
    [("boolean", True, False), ("string", "", "x"), ("integer", 0, -7), ("float", 0.5, 2.5), ("object", {"a": 1}, [])],
)
def test_values_of_every_type(value_type: str, first: object, second: object) -> None:
    found = variants_of(ValueType(value_type), two(first, second))

    assert found == {"a": first, "b": second}
    assert variants_of(ValueType(value_type), variants_document(found)) == found


def test_whole_numbers_of_a_float_flag_become_floats() -> None:
    assert [type(value) for value in variants_of(ValueType.FLOAT, two(1, 2)).values()] == [float, float]


@pytest.mark.parametrize(
    ("value_type", "value"),
    [
        ("boolean", 1), ("boolean", "true"), ("boolean", None), ("string", 1), ("string", "x" * 20_001), ("integer", 1.5),
        ("integer", True), ("integer", 2**53), ("float", "1"), ("float", True), ("float", float("inf")), ("object", "x"),
    ],
)  # fmt: skip
def test_values_of_another_type_are_refused(value_type: str, value: object) -> None:
    with pytest.raises(InvalidRules) as caught:
        variants_of(ValueType(value_type), two(value, value))

    assert caught.value.pointer == "/variants/0/value"


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({}, "/variants"),
        (BOOLEAN[:1], "/variants"),
        (["on", "off"], "/variants/0/name"),
        ([{"name": "a b", "value": True}, *BOOLEAN], "/variants/0/name"),
        ([*BOOLEAN, *BOOLEAN], "/variants/2/name"),
        ([{"name": str(number), "value": True} for number in range(51)], "/variants"),
    ],
)
def test_variants_that_cannot_be_are_refused(said: Any, pointer: str) -> None:
    with pytest.raises(InvalidRules) as caught:
        variants_of(ValueType.BOOLEAN, said)

    assert caught.value.pointer == pointer


def test_keys() -> None:
    assert [is_key(each) for each in ("a.B_c-9", "x" * 100, "x" * 101, "", "a/b", "a b", "é", ".", "..")] == [
        True, True, False, False, False, False, False, False, False,
    ]  # fmt: skip


def test_kinds() -> None:
    stages = [each["name"] for each in MIGRATION]

    assert stages_ok(FlagKind.MIGRATION, ValueType.STRING, stages)
    assert not stages_ok(FlagKind.MIGRATION, ValueType.STRING, stages[:3])
    assert stages_ok(FlagKind.RELEASE, ValueType.BOOLEAN, ["on", "off"])
    assert due_at(FlagKind.RELEASE, NOW) == NOW + timedelta(days=45)
    assert due_at(FlagKind.MIGRATION, NOW) is None
    assert is_lasting(FlagKind.OPS)
    assert not is_lasting(FlagKind.RELEASE)
