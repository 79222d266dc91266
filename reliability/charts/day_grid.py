"""The week strip where nothing can be drawn: one cell per service and day, for mail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from reliability.charts.strip import Strip
from reliability.domain.weeks import DAY, local_date

WORST_FIRST = ("downtime", "multi-user", "single-user", "impactless")
MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of a service: its worst impact class (empty: none), incidents that began then, changes that went live."""

    impact_class: str
    incidents: Sequence[str]
    changes: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Days in words, and a row of cells for each service in which something happened."""

    days: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


def day_grid(strip: Strip) -> Grid:
    """The same facts as the strip; an incident colours every day it went on, and is named on its first one."""
    first, last = local_date(strip.from_at, strip.zone), local_date(strip.to_at - dt.timedelta(seconds=1), strip.zone)
    days = [first + DAY * place for place in range((last - first).days + 1)]
    rows = [(lane, [_cell(strip, lane, day) for day in days]) for lane in strip.lanes]
    told = [row for row in rows if any(cell.impact_class or cell.changes for cell in row[1])]
    return Grid([f"{day:%a} {day.day}" for day in days], told[:MOST_ROWS])


def _cell(strip: Strip, lane: str, day: dt.date) -> Cell:
    end = strip.now or strip.to_at
    going_on = [
        bar for bar in strip.incidents
        if bar.lane == lane and local_date(bar.began_at, strip.zone) <= day <= local_date(bar.ended_at or end, strip.zone)
    ]  # fmt: skip
    classes = {bar.impact_class for bar in going_on}
    return Cell(
        impact_class=next((name for name in WORST_FIRST if name in classes), ""),
        incidents=[bar.label for bar in going_on if local_date(bar.began_at, strip.zone) == day],
        changes=sum(mark.lane == lane and local_date(mark.at, strip.zone) == day for mark in strip.changes),
    )
