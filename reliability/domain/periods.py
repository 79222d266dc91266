"""What a report covers: an ISO week, a calendar month or a quarter, in a zone.

A label names a period and its kind: `2026-W13`, `2026-03`, `2026-Q1`.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from reliability.domain.intervals import Interval
from reliability.domain.weeks import DAY, local_date, midnight, week_label, week_of


class PeriodKind(StrEnum):
    """How long a report's period is."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


#: How many periods before are counted together for comparison.
COMPARED = {PeriodKind.WEEK: 4, PeriodKind.MONTH: 3, PeriodKind.QUARTER: 4}
_LABELS = {
    PeriodKind.WEEK: re.compile(r"(\d{4})-W(\d\d)"),
    PeriodKind.MONTH: re.compile(r"(\d{4})-(\d\d)"),
    PeriodKind.QUARTER: re.compile(r"(\d{4})-Q([1-4])"),
}
_MONTHS = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3}
FIRST_YEAR, LAST_YEAR = 1970, 9000


class NotAPeriod(ValueError):
    """Raised for a label that names no period."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period [start, end) of local days; first is its first local day."""

    kind: PeriodKind
    first: date
    zone: ZoneInfo

    @property
    def label(self) -> str:
        """The name, unique among all kinds."""
        if self.kind is PeriodKind.WEEK:
            return week_label(self.first)
        if self.kind is PeriodKind.MONTH:
            return f"{self.first.year}-{self.first.month:02}"
        return f"{self.first.year}-Q{(self.first.month + 2) // 3}"

    @property
    def interval(self) -> Interval:
        """Its instants, by the clocks of the zone."""
        if self.kind is PeriodKind.WEEK:
            return week_of(self.first, self.zone)
        return Interval(midnight(self.first, self.zone), midnight(self.moved(1).first, self.zone))

    def moved(self, steps: int) -> "Period":
        """The period that many places later, or earlier."""
        if self.kind is PeriodKind.WEEK:
            return Period(self.kind, self.first + steps * 7 * DAY, self.zone)
        months = self.first.year * 12 + self.first.month - 1 + steps * _MONTHS[self.kind]
        return Period(self.kind, date(months // 12, months % 12 + 1, 1), self.zone)

    def before(self, count: int) -> Interval:
        """The instants of that many periods before this one, as one window."""
        return Interval(self.moved(-count).interval.start, self.interval.start)

    def until(self, count: int) -> list["Period"]:
        """That many periods up to and including this one, oldest first."""
        return [self.moved(-back) for back in range(count - 1, -1, -1)]


def period_holding(kind: PeriodKind, at: datetime, zone: ZoneInfo) -> Period:
    """The period that holds the instant."""
    day = local_date(at, zone)
    if kind is PeriodKind.WEEK:
        return Period(kind, day - day.weekday() * DAY, zone)
    months = _MONTHS[kind]
    return Period(kind, date(day.year, (day.month - 1) // months * months + 1, 1), zone)


def period_labelled(label: str, zone: ZoneInfo) -> Period:
    """The period that a label names. NotAPeriod for anything else, and for years no report is about."""
    for kind, pattern in _LABELS.items():
        found = pattern.fullmatch(label)
        if found:
            year, number = int(found[1]), int(found[2])
            if not FIRST_YEAR <= year <= LAST_YEAR:
                break
            try:
                first = date.fromisocalendar(year, number, 1) if kind is PeriodKind.WEEK else _first(kind, year, number)
            except ValueError:
                break
            return Period(kind, first, zone)
    raise NotAPeriod(f"expected a period such as 2026-W13, 2026-03 or 2026-Q1, got {label[:40]!r}")


def _first(kind: PeriodKind, year: int, number: int) -> date:
    return date(year, (number - 1) * _MONTHS[kind] + 1, 1)
