"""Report periods: local dates become instants in the report's zone first, then everything is UTC arithmetic."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deploys.domain.instants import MICROSECOND, NotAnInstant, parse_instant
from reliability.domain.intervals import Interval

DAY = timedelta(days=1)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class UnknownZone(ValueError):
    """Raised for a name that is not in the time zone database."""


class NotAPointInTime(ValueError):
    """Raised for a command line value that is no date, local date-time, date-time with offset or epoch seconds."""


@dataclass(frozen=True, slots=True)
class Week:
    """An ISO week in a zone, clipped to the elapsed part of a window. is_whole: nothing was clipped off."""

    label: str
    interval: Interval
    is_whole: bool


def zone_named(name: str) -> ZoneInfo:
    """The zone; raises UnknownZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"expected the name of a time zone such as Europe/Berlin, got {name!r}"
        raise UnknownZone(message) from error


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The UTC instant at which the local day begins; where midnight is skipped, the instant of the skip."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def point_in_time(text: str, zone: ZoneInfo) -> datetime:
    """A command line value as an instant: date (midnight), local date-time, date-time with offset, epoch seconds."""
    try:
        if _NUMBER.fullmatch(text):
            return parse_instant(float(text))
        if _DATE.fullmatch(text):
            return midnight(date.fromisoformat(text), zone)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (NotAnInstant, ValueError, OverflowError) as error:
        message = f"expected a date, a date-time or epoch seconds, got {text!r}"
        raise NotAPointInTime(message) from error


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The calendar date a clock on the wall shows."""
    return at.astimezone(zone).date()


def _dates_touched(interval: Interval, zone: ZoneInfo) -> Iterator[date]:
    if interval.is_empty:
        return
    day, last = local_date(interval.start, zone), local_date(interval.end - MICROSECOND, zone)
    while day <= last:
        yield day
        day += DAY


def calendar_days(interval: Interval, zone: ZoneInfo) -> Fraction:
    """Local days covered; each counts by the share of its own length, 23, 24 or 25 hours, that is covered."""
    days = Fraction(0)
    for day in _dates_touched(interval, zone):
        whole = Interval(midnight(day, zone), midnight(day + DAY, zone))
        if whole.length:
            days += Fraction(whole.clipped(interval).length, whole.length)
    return days


def week_label(monday: date) -> str:
    """``2026-W13``, the year by the ISO rule."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def week_of(monday: date, zone: ZoneInfo) -> Interval:
    """The instants of the ISO week that begins on the date."""
    return Interval(midnight(monday, zone), midnight(monday + 7 * DAY, zone))


def monday_of(at: datetime, zone: ZoneInfo) -> date:
    """The local Monday of the week that holds the instant."""
    day = local_date(at, zone)
    return day - day.weekday() * DAY


def weeks_in(interval: Interval, zone: ZoneInfo) -> list[Week]:
    """Every ISO week touched, in order; none for an empty interval."""
    weeks: list[Week] = []
    monday = monday_of(interval.start, zone)
    while not interval.is_empty and midnight(monday, zone) < interval.end:
        whole = week_of(monday, zone)
        part = whole.clipped(interval)
        weeks.append(Week(week_label(monday), part, is_whole=part == whole))
        monday += 7 * DAY
    return weeks


def calendar_period(kind: str, before: datetime, zone: ZoneInfo) -> Interval:
    """The week, month or quarter (in the zone) that contains the instant just before the given one."""
    day = local_date(before - MICROSECOND, zone)
    if kind == "week":
        return week_of(day - day.weekday() * DAY, zone)
    months = 3 if kind == "quarter" else 1
    first = day.replace(day=1, month=(day.month - 1) // months * months + 1)
    index = first.year * 12 + first.month - 1 + months
    return Interval(midnight(first, zone), midnight(date(index // 12, index % 12 + 1, 1), zone))
