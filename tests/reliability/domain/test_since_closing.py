"""What is known otherwise than when a period was closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reliability.domain.since_closing import KnownToday, Moved, moved_since

TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = TEN + 4 * HOUR
ROW: dict[str, Any] = {  # Any: JSON
    "id": "i", "class": "downtime", "begin_at": "2026-03-03T10:00:00Z", "restored_at": "2026-03-03T11:00:00Z",
}  # fmt: skip
TODAY = KnownToday(("i", "uuid"), "downtime", TEN, TEN + HOUR)


@pytest.mark.parametrize(
    ("row", "today", "words"),
    [
        ({}, TODAY, None),
        ({"id": "uuid"}, TODAY, None),
        ({"restored_at": None}, KnownToday(("i",), "downtime", TEN, END), None),
        ({"restored_at": None}, KnownToday(("i",), "downtime", TEN, None), None),
        ({"class": "multi_user"}, TODAY, "multi-user then, downtime today"),
        ({"begin_at": "2026-03-03T09:00:00Z"}, TODAY, "began at another time"),
        ({"restored_at": None}, TODAY, "ended at another time"),
        ({"class": "impactless", "restored_at": None}, TODAY, "impactless then, downtime today, ended at another time"),
    ],
)
def test_a_row_is_compared_with_what_is_known_today(row: dict[str, Any], today: KnownToday, words: str | None) -> None:
    expected = [] if words is None else [Moved(row.get("id", "i"), words)]

    assert moved_since([ROW | row], [today], end=END) == expected


def test_what_went_and_what_came_is_told() -> None:
    later = KnownToday(("j", "other"), "downtime", TEN, None)

    assert moved_since([ROW], [later], end=END) == [
        Moved("i", "counted then, does not count today"),
        Moved("j", "not known then"),
    ]
