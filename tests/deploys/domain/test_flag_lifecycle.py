from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploys.domain.flag_lifecycle import (
    Flag,
    FlagChange,
    FlagState,
    StaleReason,
    flag_change_of,
    flags_of,
    in_priority_order,
    ordered_lines,
    stale_flag,
    state_at,
)

NOW = datetime(2026, 3, 9, tzinfo=UTC)
LIMIT = timedelta(days=14)


def change(name: str, days_ago: float, percent: float, **more: Any) -> FlagChange:  # Any: one value per field
    return FlagChange(name, "cart", "production", NOW - timedelta(days=days_ago), percent, **more)


def a_flag(*changes: FlagChange, **more: Any) -> Flag:  # Any: one value per field
    return Flag("cart", tuple(ordered_lines(changes).get("cart", [])), **{"owner": "kim", **more})


def reasons(flag: Flag) -> tuple[StaleReason, ...]:
    found = stale_flag(flag, NOW, LIMIT, has_hurt=False)
    return () if found is None else found.reasons


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        (a_flag(change("f", 15, 100)), (StaleReason.FULLY_ON,)),
        (a_flag(change("f", 14, 100)), ()),
        (a_flag(change("f", 15, 0)), (StaleReason.FULLY_OFF,)),
        (a_flag(change("f", 15, 50)), ()),
        (a_flag(change("f", 15, 100, segment={"country": "DE"})), ()),
        (a_flag(change("f", 30, 100), change("g", 2, 100)), (StaleReason.FULLY_ON,)),
        (a_flag(created_at=NOW - timedelta(days=20)), (StaleReason.FULLY_OFF,)),
        (a_flag(), ()),
        (a_flag(change("f", 1, 50), expires_at=NOW), (StaleReason.EXPIRED,)),
        (a_flag(change("f", 1, 50), expires_at=NOW + timedelta(1)), ()),
        (a_flag(change("f", 20, 50), is_evaluation_known=True), (StaleReason.UNEVALUATED,)),
        (a_flag(change("f", 20, 50), is_evaluation_known=True, last_evaluated_at=NOW - timedelta(3)), ()),
        (a_flag(is_evaluation_known=True), ()),
        (a_flag(change("f", 1, 50), code_references=0), (StaleReason.UNREFERENCED,)),
        (a_flag(change("f", 99, 100), is_permanent=True), ()),
        (a_flag(is_permanent=True, code_references=0), (StaleReason.UNREFERENCED,)),
        (
            a_flag(change("f", 99, 100), expires_at=NOW, code_references=0),
            (StaleReason.EXPIRED, StaleReason.FULLY_ON, StaleReason.UNREFERENCED),
        ),
    ],
)
def test_reasons(flag: Flag, expected: tuple[StaleReason, ...]) -> None:
    assert reasons(flag) == expected


def test_points_grow_with_harm_months_and_a_missing_owner() -> None:
    flag = a_flag(change("f", 14 + 65, 100))
    ancient = replace(a_flag(change("f", 999, 100)), owner=None)

    plain, hurt = stale_flag(flag, NOW, LIMIT, has_hurt=False), stale_flag(flag, NOW, LIMIT, has_hurt=True)
    old = stale_flag(ancient, NOW, LIMIT, has_hurt=False)

    assert plain is not None
    assert hurt is not None
    assert old is not None
    assert [each.priority_points for each in (plain, hurt, old)] == [5, 8, 10]
    assert plain.overdue == timedelta(days=65)
    assert in_priority_order([plain, old, hurt]) == [old, hurt, plain]


def test_state_before_the_first_line_and_at_the_instant_of_a_line() -> None:
    flag = a_flag(change("f", 1, 40), created_at=NOW - timedelta(9))

    assert state_at(flag, NOW - timedelta(2)) == FlagState(0, None, NOW - timedelta(9))
    assert state_at(flag, NOW - timedelta(1)) == FlagState(0, None, NOW - timedelta(9))
    assert state_at(flag, NOW) == FlagState(40, None, NOW - timedelta(1))


def test_a_flag_that_only_repeated_its_state_has_been_so_since_its_creation() -> None:
    flag = a_flag(change("f", 1, 50, old_percent=50))

    assert state_at(flag, NOW) == FlagState(50, None, None)


def test_lines_that_repeat_the_state_are_no_changes() -> None:
    lines = [
        change("a", 9, 50, old_percent=50),
        change("b", 8, 60),
        change("c", 7, 60),
        change("d", 6, 60, segment={"plan": "pro"}),
        change("e", 5, 60, segment={"plan": "pro"}),
    ]

    assert [line.is_change for line in ordered_lines(reversed(lines))["cart"]] == [False, True, False, True, False]


def test_flags_listed() -> None:
    assert a_flag().is_listed(NOW)
    assert not a_flag(created_at=NOW).is_listed(NOW)
    assert not a_flag(change("f", -1, 50)).is_listed(NOW)
    assert not a_flag(archived_at=NOW).is_listed(NOW)
    assert a_flag(archived_at=NOW + LIMIT).is_listed(NOW)


def test_descriptions_of_one_tier_add_up_and_other_tiers_stay_out() -> None:
    records: list[tuple[str, dict[str, object]]] = [
        ("production/a", {"key": "a", "owner": "kim", "kind": "permanent"}),
        ("prod/a", {"key": "a", "environment": "prod", "last_evaluated_at": None, "code_references": 2}),
        ("staging/b", {"key": "b", "environment": "staging"}),
    ]
    changed = ordered_lines([change("f", 1, 50)])

    assert flags_of(records, changed, "production") == [
        Flag("a", owner="kim", is_permanent=True, is_evaluation_known=True, code_references=2),
        Flag("cart", tuple(changed["cart"])),
    ]


def test_the_typed_change() -> None:
    record: dict[str, object] = {"key": "cart", "at": "2026-03-08T00:00:00Z", "new_percent": 5, "services": ["shop"]}

    assert flag_change_of("f", record, NOW) == change("f", 1, 5, services=("shop",))
    assert flag_change_of("f", {**record, "services": None, "segment": {}}, NOW) == change("f", 1, 5)
    assert flag_change_of("f", record, NOW - timedelta(2)) is None
