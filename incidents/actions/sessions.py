"""Single sessions: each counts once and fails once, however often and in whatever order its updates come.

A row for every session of the last days remembers what was counted. One statement makes or locks the rows of a batch in
the order of their ids, so two workers with updates of one session wait for each other and never deadlock.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import models, transaction

from deploys.actions.catalog import environments_by_name
from deploys.actions.upserts import add_up
from deploys.domain.instants import floor_hour
from deploys.models import Environment, Service
from incidents.actions.cardinality import MOST_ENVIRONMENTS, OTHERS
from incidents.actions.traffic import LIVE_SECONDS, TrafficLine
from incidents.domain.sessions import Ending, first_ending
from incidents.formats.sessions import SessionUpdate
from incidents.models import SessionSeen, TrafficCount

#: A session of which nothing was heard for this long is over, and ended well: sentry-docs, develop-docs, sessions.
FORGOTTEN_AFTER = dt.timedelta(days=5)
CHUNK = 2_000
Received = tuple[SessionUpdate, dt.datetime]


@dataclass(frozen=True, slots=True)
class _Session:
    """All updates of one session in a batch, as one: the first of them, how it ended, and when it was received."""

    first: SessionUpdate
    ending: Ending | None
    received_at: dt.datetime

    @property
    def hour(self) -> dt.datetime:
        return floor_hour(self.received_at)


def count_sessions(*, service: Service, updates: Sequence[Received]) -> dict[dt.datetime, list[TrafficLine]]:
    """What these updates add to the traffic, by the hour of receipt: for `record_sessions`, in the same transaction.

    One statement while all sessions are new, two or three where some are known. A failure that was counted and turns out
    to have come after the session's end is taken back where it was counted.
    """
    sessions = _without_forgotten(service, _by_session(updates))
    if not sessions:
        return {}
    environments = environments_by_name(
        team=service.team,
        names={session.first.environment for session in sessions.values()},
        now=max(session.received_at for session in sessions.values()),
        most=MOST_ENVIRONMENTS,
    )
    found = add_up(
        model=SessionSeen,
        keys=["service", "sid"],
        counters=["updates_count"],
        first=["environment", "release", "at", "ended_order", "failed_hour_at"],
        latest=["seen_at"],
        rows=[_columns(service, sid, session, environments) for sid, session in sessions.items()],
        returning=["sid", "updates_count"],
    )
    lines: dict[dt.datetime, list[TrafficLine]] = defaultdict(list)
    for sid in sorted(sid for sid, updates_count in found if updates_count == 1):
        session = sessions[sid]
        failed = session.ending is not None and session.ending.failed
        lines[session.hour].append(_line(session.first.at, session.first.environment, session.first.release, 1, failed))
    known = {sid: sessions[sid] for sid, updates_count in found if updates_count > 1}
    if known:
        _learn(service, known, lines)
    return lines


def forget_sessions(*, now: dt.datetime) -> int:
    """Deletes what was remembered of sessions that are over; how many. In small transactions, beside running digests."""
    deleted = 0
    while True:
        old = SessionSeen.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).order_by("seen_at")
        ids = list(old.values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return deleted
        with transaction.atomic():  # one that was heard of again meanwhile stays
            deleted += SessionSeen.objects.filter(pk__in=ids, seen_at__lt=now - FORGOTTEN_AFTER).delete()[0]


def _by_session(updates: Sequence[Received]) -> dict[str, _Session]:
    grouped: dict[str, list[Received]] = defaultdict(list)
    for update, received_at in updates:
        grouped[update.sid].append((update, received_at))
    return {
        sid: _Session(
            first=min((update for update, _ in found), key=_place),
            ending=first_ending(update.ending for update, _ in found),
            received_at=min(received_at for _, received_at in found),
        )
        for sid, found in grouped.items()
    }


def _place(update: SessionUpdate) -> tuple[bool, int, dt.datetime, str, str]:
    return not update.is_init, update.order, update.at, update.environment, update.release


def _without_forgotten(service: Service, sessions: dict[str, _Session]) -> dict[str, _Session]:
    """Without late updates of sessions that were counted and forgotten: they would count a second time."""
    late = [
        sid
        for sid, session in sessions.items()
        if not session.first.is_init and session.first.at < session.received_at - FORGOTTEN_AFTER
    ]
    if not late:
        return sessions
    known = set(SessionSeen.objects.filter(service=service, sid__in=late).values_list("sid", flat=True))
    return {sid: session for sid, session in sessions.items() if sid in known or sid not in set(late)}


def _columns(
    service: Service, sid: str, session: _Session, environments: Mapping[str, Environment]
) -> tuple[object, ...]:
    first, ending = session.first, session.ending
    failed_hour_at = session.hour if ending is not None and ending.failed else None
    return (
        service.pk, sid, 1, environments[first.environment].pk, first.release[:250], _minute(first.at),
        ending.order if ending else None, failed_hour_at, session.received_at,
    )  # fmt: skip


def _learn(service: Service, known: Mapping[str, _Session], lines: dict[dt.datetime, list[TrafficLine]]) -> None:
    """Brings known sessions up to date; only another ending changes what was counted."""
    changed = []
    rows = SessionSeen.objects.filter(service=service, sid__in=known).select_related("environment").order_by("sid")
    for row in rows:
        session = known[row.sid]
        before = None if row.ended_order is None else Ending(row.ended_order, row.failed_hour_at is not None)
        after = first_ending([before, session.ending])
        if after is None or after == before:
            continue
        if after.failed and row.failed_hour_at is None:
            row.failed_hour_at = session.hour
            lines[session.hour].append(_line(row.at, row.environment.name, row.release, 0, failed=True))
        elif not after.failed and row.failed_hour_at is not None:
            _take_back(row)
            row.failed_hour_at = None
        row.ended_order = after.order
        changed.append(row)
    SessionSeen.objects.bulk_update(changed, ["ended_order", "failed_hour_at"])


def _take_back(row: SessionSeen) -> None:
    """Takes a failure from the count of its release, or from that of all releases beyond the bound."""
    for release in (row.release, OTHERS):
        counted = TrafficCount.objects.filter(
            service=row.service_id, environment=row.environment_id, release=release, at=row.at,
            origin=TrafficCount.Origin.LIVE, received_at=row.failed_hour_at, failed__gt=0,
        )  # fmt: skip
        if counted.update(failed=models.F("failed") - 1):
            return


def _line(at: dt.datetime, environment: str, release: str, count: int, failed: bool) -> TrafficLine:  # noqa: FBT001 -- the counted value
    return TrafficLine(
        at=at, seconds=LIVE_SECONDS, count=count, failed=int(failed), environment=environment, release=release
    )


def _minute(at: dt.datetime) -> dt.datetime:
    return at.replace(second=0, microsecond=0)
