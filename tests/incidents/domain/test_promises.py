from __future__ import annotations

import datetime as dt

import pytest

from incidents.domain.promises import is_overdue, reminder

DUE = dt.date(2026, 3, 10)


@pytest.mark.parametrize(
    ("state", "due_on", "days", "is_late", "key"),
    [
        ("open", DUE, -2, False, ""),
        ("open", DUE, -1, False, "due 2026-03-10"),
        ("open", DUE, 0, False, "due 2026-03-10"),
        ("open", DUE, 1, True, "overdue 2026-03-10 0"),
        ("open", DUE, 7, True, "overdue 2026-03-10 0"),
        ("open", DUE, 8, True, "overdue 2026-03-10 1"),
        ("done", DUE, 8, False, ""),
        ("dropped", DUE, 8, False, ""),
        ("open", None, 8, False, ""),
    ],
)
def test_overdue_and_reminders(state: str, due_on: dt.date | None, days: int, *, is_late: bool, key: str) -> None:
    today = DUE + dt.timedelta(days=days)

    assert is_overdue(state=state, due_on=due_on, today=today) is is_late
    assert reminder(state=state, due_on=due_on, today=today) == key
