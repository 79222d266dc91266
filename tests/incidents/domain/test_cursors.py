"""Places in lists."""

from __future__ import annotations

import datetime as dt

import pytest

from incidents.domain.cursors import Cursor, read_cursor


def test_round_trip() -> None:
    cursor = Cursor(at=dt.datetime(2026, 3, 4, 12, 0, 0, 125, tzinfo=dt.UTC), key=7)

    assert read_cursor(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["", "x", "_", "2026-03-04T12:00:00Z", "2026-03-04_1", "2026-03-04T12:00:00Z_-1", f"1_{9**30}"]
)
def test_what_is_none(text: str) -> None:
    assert read_cursor(text) is None
