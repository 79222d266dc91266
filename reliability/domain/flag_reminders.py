"""When owners of flags are reminded: once in a week, at its beginning."""

from __future__ import annotations

from datetime import datetime

MONDAY, WEDNESDAY = 1, 3
#: Not before this hour of Monday, on the team's clock.
HOUR = 8


def reminder_week(local: datetime) -> str:
    """The ISO week whose reminders may be written at this time of the team's clock; empty from Thursday to Monday's eighth hour:
    a reminder that could not be written by then waits for the next week.
    """
    year, week, day = local.isocalendar()
    is_time = MONDAY <= day <= WEDNESDAY and (day > MONDAY or local.hour >= HOUR)
    return f"{year}-W{week:02}" if is_time else ""
