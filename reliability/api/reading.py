"""What the query strings of this room's addresses may say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from deploys.api.problems import Problem
from reliability.domain.intervals import Interval
from reliability.domain.weeks import NotAPointInTime, UnknownZone, point_in_time, zone_named


def bad_value(name: str, said: str) -> Problem:
    """The problem of one value of a query string or message."""
    return Problem("invalid-message", f"{name}: {said}", errors=[{"pointer": f"#/{name}", "detail": said}])


def asked_zone(query: Mapping[str, str], default: str) -> ZoneInfo:
    """The zone asked for, else the team's."""
    try:
        return zone_named(query.get("zone") or default)
    except UnknownZone as error:
        raise bad_value("zone", str(error)) from error


def asked_point(query: Mapping[str, str], name: str, zone: ZoneInfo, default: datetime) -> datetime:
    """A date, a local date-time, a date-time with offset or epoch seconds."""
    text = query.get(name, "")
    if not text:
        return default
    try:
        return point_in_time(text, zone)
    except NotAPointInTime as error:
        raise bad_value(name, str(error)) from error


def asked_window(query: Mapping[str, str], zone: ZoneInfo, default: Interval) -> Interval:
    """The window from `from` to `to`, at most ten years."""
    window = Interval(asked_point(query, "from", zone, default.start), asked_point(query, "to", zone, default.end))
    if window.is_empty:
        raise bad_value("to", "expected an instant after from")
    if (window.end - window.start).days > 3_660:
        raise bad_value("to", "expected at most ten years after from")
    return window
