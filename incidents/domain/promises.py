"""Action items: when they are due, overdue, and when their owner is reminded."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

EARLY = dt.timedelta(days=1)
AGAIN = dt.timedelta(days=7)


class ItemState(StrEnum):
    """Where an action item stands."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


def is_overdue(*, state: str, due_on: dt.date | None, today: dt.date) -> bool:
    """Whether its day has passed and it is neither done nor dropped. Due today is not overdue."""
    return state == ItemState.OPEN and due_on is not None and due_on < today


def reminder(*, state: str, due_on: dt.date | None, today: dt.date) -> str:
    """The key of the reminder that is in order today; empty: none.

    The day before it is due and on that day, one; from the day after, one a week. A key that was told is not told again.
    """
    if state != ItemState.OPEN or due_on is None or today < due_on - EARLY:
        return ""
    if today <= due_on:
        return f"due {due_on.isoformat()}"
    weeks = (today - due_on - dt.timedelta(days=1)) // AGAIN
    return f"overdue {due_on.isoformat()} {weeks}"
