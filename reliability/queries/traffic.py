"""Requests counted, as they were known at an instant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from deploys.domain.instants import FAR_PAST, instant_text
from deploys.models import Team
from incidents.models import TrafficCount
from reliability.domain.intervals import Interval

LIVE: Final = TrafficCount.Origin.LIVE
Line = dict[str, Any]  # Any: the values of a sessions payload


def traffic_known_by(*, team: Team, as_of: datetime, span: Interval | None = None) -> list[Line]:
    """The counts of every interval that begins in the span, as payloads of `sessions` lines: one query.

    Live increments received by the instant (to the hour) add up; of imported values the one received last counts.
    """
    rows = TrafficCount.objects.filter(service__team=team)
    rows = rows.filter(Q(received_at__isnull=True) | Q(received_at__lte=as_of))
    if span is not None:
        rows = rows.filter(at__gte=span.start, at__lt=span.end)
    found: dict[tuple[object, ...], Line] = {}
    for row in _in_arrival_order(rows):
        key = (row.service.name, row.environment.name, row.release, row.at)
        past = found.get(key)
        found[key] = _added(past, row) if past is not None and row.origin == LIVE else _line(row)
    return list(found.values())


def traffic_lines(*, team: Team) -> list[tuple[Line, datetime | None]]:
    """All counts for an export, with when each was received: every imported value, and one sum of live ones."""
    found: dict[tuple[object, ...], tuple[Line, datetime | None]] = {}
    for row in _in_arrival_order(TrafficCount.objects.filter(service__team=team)):
        key = (row.service.name, row.environment.name, row.release, row.at, row.pk if row.origin != LIVE else None)
        past = found.get(key)
        found[key] = (_line(row) if past is None else _added(past[0], row), row.received_at)
    return list(found.values())


def _in_arrival_order(rows: QuerySet[TrafficCount]) -> list[TrafficCount]:
    return sorted(rows.select_related("service", "environment"), key=lambda row: (row.received_at or FAR_PAST, row.pk))


def _line(row: TrafficCount) -> Line:
    line: Line = {"service": row.service.name, "environment": row.environment.name, "at": instant_text(row.at)}
    line |= {"seconds": row.seconds, "count": row.count}
    line |= {"release": row.release} if row.release else {}
    return line | ({} if row.failed is None else {"failed": row.failed})


def _added(line: Line, row: TrafficCount) -> Line:
    """The line with one more live increment; failures count where any increment measured them."""
    failed = line.get("failed") if row.failed is None else (line.get("failed") or 0) + row.failed
    return line | {"count": line["count"] + row.count} | ({} if failed is None else {"failed": failed})
