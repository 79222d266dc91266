from __future__ import annotations

import datetime as dt

import pytest

from reliability.domain.flag_reminders import reminder_week


@pytest.mark.parametrize(
    ("local", "week"),
    [
        ("2026-03-02T07:59", ""),
        ("2026-03-02T08:00", "2026-W10"),
        ("2026-03-03T00:00", "2026-W10"),
        ("2026-03-04T23:59", "2026-W10"),
        ("2026-03-05T00:00", ""),
        ("2026-03-08T12:00", ""),
        ("2026-12-30T12:00", "2026-W53"),
    ],
)
def test_the_week_of_a_reminder(local: str, week: str) -> None:
    assert reminder_week(dt.datetime.fromisoformat(local)) == week
