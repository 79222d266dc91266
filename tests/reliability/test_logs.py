"""What the log says, and what it must not say."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from reliability.logs import JsonLines

CARD, KEY = "4111 1111 1111 1111", "AKIAIOSFODNN7EXAMPLE"


def written(
    message: str, *values: object, exc_info: Any = None, **extra: object
) -> dict[str, Any]:  # Any: as logging's
    """The line of a record, read again."""
    record = logging.getLogger("shop").makeRecord(
        "shop", logging.WARNING, "shop.py", 7, message, values, exc_info, extra=extra, sinfo=None
    )
    record.created = 1_772_625_600.25
    line = JsonLines().format(record)
    assert line.isascii()
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_is_one_object_with_its_fields() -> None:
    assert written("%d bodies wait", 3, project=42, why=("a", None, {"b": 1.5}), on=bytes) == {
        "at": "2026-03-04T12:00:00.250000Z",
        "event": "3 bodies wait",
        "level": "warning",
        "logger": "shop",
        "on": "<class 'bytes'>",
        "project": 42,
        "why": ["a", None, {"b": 1.5}],
    }


@pytest.mark.parametrize("secret", [CARD, KEY, "ann@shop.example"])
def test_no_part_of_a_line_holds_a_secret(secret: str) -> None:
    try:
        raise ValueError(f"cannot read {secret}")
    except ValueError:
        found = written(
            "from %s", secret, exc_info=sys.exc_info(), problem=f"x {secret} y", deep=[{"k": secret}], password="x y z"
        )

    assert secret not in json.dumps(found)
    assert found["event"] == "from [filtered]"
    assert found["problem"] == "x [filtered] y"
    assert found["deep"] == [{"k": "[filtered]"}]
    assert found["password"] == "[filtered]"
    assert found["exception"].startswith("Traceback")
    assert found["exception"].endswith("ValueError: cannot read [filtered]")


def test_what_forges_lines_is_escaped() -> None:
    message = 'x\n{"event": "forged"}\u2028\x1b[31m'

    assert written("%s", message)["event"] == message


def test_of_a_long_trace_the_end_is_kept() -> None:
    try:
        raise ValueError("x" * 20_000 + " the end")
    except ValueError:
        assert written("odd", exc_info=sys.exc_info())["exception"].endswith(" the end")
