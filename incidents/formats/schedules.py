"""Schedules as jobs declare them: crontab lines, and lengths of time. When is the next run?"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from incidents.domain.jobs import EARLY

_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}
UNITS = frozenset({*_LENGTHS, *_DAYS, *_MONTHS})
_ALIASES = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
LONGEST = 10_000
"""The most units of an interval."""


class BadSchedule(ValueError):
    """No schedule that can be kept."""


def crontab(line: str) -> str:
    """The line with its five fields, names spelled out. Raises BadSchedule."""
    text = " ".join(line.split())[:200]
    text = _ALIASES.get(text.lower(), text)
    try:
        if len(text.split()) != 5:
            raise BadSchedule(f"expected five fields, got {text!r}")
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise BadSchedule(f"no crontab line: {text!r}") from error
    return text


def interval(value: object, unit: object) -> str:
    """`10 minute`. Raises BadSchedule."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LONGEST or unit not in UNITS:
        raise BadSchedule(f"no interval: {value!r} {unit!r}")
    return f"{value} {unit}"


def zone_of(name: object) -> str:
    """A zone's name; UTC for what is none."""
    try:
        return ZoneInfo(name).key if isinstance(name, str) and name else "UTC"
    except (KeyError, OSError, ValueError):  # unknown, a folder, a path that leads out
        return "UTC"


def run_after(kind: str, schedule: str, zone: str, at: datetime) -> datetime:
    """The first start that the schedule expects after `at`, in UTC. Raises BadSchedule where there is none.

    Crontab lines follow the wall clock of the zone as Debian's cron does: what falls into the hour that a clock change
    leaves out runs right after it, what falls into a repeated hour runs once. Days, weeks and months are those of the
    zone's calendar; minutes and hours are lengths of time.
    """
    local = at.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    if kind == "crontab":
        try:
            return next(CronSim(schedule, local)).astimezone(UTC)
        except (CronSimError, StopIteration) as error:
            raise BadSchedule(f"no run after {at}: {schedule!r}") from error
    number, unit = schedule.split()
    value = int(number)
    if unit in _LENGTHS:
        return at + value * _LENGTHS[unit]
    try:
        later = (
            local + timedelta(days=value * _DAYS[unit]) if unit in _DAYS else _months_on(local, value * _MONTHS[unit])
        )
    except (OverflowError, ValueError) as error:
        raise BadSchedule(f"no run after {at}: {schedule!r}") from error
    return later.astimezone(UTC)


def run_expected_after_start(kind: str, schedule: str, zone: str, started_at: datetime) -> datetime:
    """The next start after one at `started_at`; a crontab run that started a little early has had its turn."""
    first = run_after(kind, schedule, zone, started_at)
    if kind != "crontab" or first - started_at > EARLY:
        return first
    second = run_after(kind, schedule, zone, first)
    return second if second - first > 4 * EARLY else first


def _months_on(at: datetime, months: int) -> datetime:
    """The same day so many months later, or the last of a month that is too short."""
    place = at.year * 12 + at.month - 1 + months
    year, month = divmod(place, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))
