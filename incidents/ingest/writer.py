"""Group commit: one thread writes what many requests wait for, and answers them after the commit.

There is no timer. While one commit runs, requests queue; when it ends, the next takes all of them. A lone request waits
for one commit; a crowd shares few. The inbox has synchronous=FULL on SQLite and synchronous_commit on PostgreSQL, so a
future that resolves without an error stands for bytes that survive the end of the process and of the power.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import Error, connections, transaction

from deploys import failpoints
from incidents.domain.admission import has_room
from incidents.ingest.limits import MAX_GROUP, MAX_QUEUED, MAX_QUEUED_BYTES
from incidents.models import InboxItem

logger = logging.getLogger(__name__)


class QueueFull(Exception):
    """More is waiting for a commit than may wait."""


class NotStored(Exception):
    """The commit failed; nothing of it was stored."""


class DiskFull(NotStored):
    """The commit failed because nothing more fits on the disk."""


@dataclass(frozen=True, slots=True)
class Row:
    """One accepted body, in the coding it came in."""

    project: int
    kind: str
    encoding: str
    event_id: str
    body: bytes
    received_at: dt.datetime


@dataclass(frozen=True, slots=True)
class _Waiting:
    row: Row
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]


Store = Callable[[Sequence[Row]], bool]


def store_rows(rows: Sequence[Row]) -> bool:
    """Commits the rows to the inbox; True when it was empty before, so that somebody must be woken."""
    alias = settings.INBOX_ALIAS
    connection = connections[alias]
    meta = InboxItem._meta
    names = ("project", "kind", "encoding", "event_id", "body", "received_at", "attempts")
    columns = ", ".join(names)
    adapt = connection.ops.adapt_datetimefield_value
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL synchronous_commit TO on")
        cursor.execute(f"SELECT 1 FROM {meta.db_table} LIMIT 1")  # noqa: S608 -- name from the model
        was_empty = cursor.fetchone() is None
        cursor.executemany(
            f"INSERT INTO {meta.db_table} ({columns}) VALUES (%s, %s, %s, %s, %s, %s, 0)",  # noqa: S608 -- as above
            [(row.project, row.kind, row.encoding, row.event_id, row.body, adapt(row.received_at)) for row in rows],
        )
        failpoints.reach("accept.written")
    failpoints.reach("accept.committed")
    return was_empty


class GroupWriter:
    """Owns the writing thread, which starts with the first row and ends with the process."""

    def __init__(self, *, store: Store = store_rows, wake: Callable[[], None]) -> None:
        self._store = store
        self._waker = _Waker(wake)
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._by_project: Counter[int] = Counter()
        self._bytes_by_project: Counter[int] = Counter()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    async def write(self, row: Row) -> None:
        """Returns once the row is committed. Raises QueueFull at once, or NotStored when the commit failed."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(row, loop, loop.create_future())
        with self._changed:
            self._admit(row)
            self._queue.append(waiting)
            self._bytes += len(row.body)
            self._by_project[row.project] += 1
            self._bytes_by_project[row.project] += len(row.body)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="inbox-writer", daemon=True)
                self._thread.start()
            self._changed.notify()
        failpoints.reach("accept.queued")
        await waiting.future

    def _admit(self, row: Row) -> None:
        size = len(row.body)
        if len(self._queue) >= MAX_QUEUED or self._bytes + size > MAX_QUEUED_BYTES:
            raise QueueFull("too much is waiting to be stored")
        rows, size_bytes = self._by_project[row.project], self._bytes_by_project[row.project]
        if not has_room(own=rows, total=len(self._queue), most=MAX_QUEUED) or not has_room(
            own=size_bytes, total=self._bytes, most=MAX_QUEUED_BYTES
        ):
            raise QueueFull("this project has too much waiting to be stored")

    def _run(self) -> None:
        while True:
            group = self._take()
            error: BaseException | None = None
            try:
                if self._store([waiting.row for waiting in group]):
                    self._waker.wake()
            except Error as problem:
                # closed, so that the next group gets a new connection; an unknown state is rolled back with the old one
                connections[settings.INBOX_ALIAS].close()
                logger.error("inbox commit failed", extra={"problem": str(problem), "rows": len(group)})
                error = (
                    DiskFull("the disk is full")
                    if _is_disk_full(problem)
                    else NotStored("the inbox could not be written")
                )
            except Exception as problem:
                logger.exception("inbox commit failed")
                error = NotStored(type(problem).__name__)
            _answer(group, error)

    def _take(self) -> list[_Waiting]:
        with self._changed:
            while not self._queue:
                self._changed.wait()
            group = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_GROUP))]
            for waiting in group:
                self._bytes -= len(waiting.row.body)
                self._by_project[waiting.row.project] -= 1
                self._bytes_by_project[waiting.row.project] -= len(waiting.row.body)
                if not self._by_project[waiting.row.project]:
                    del self._by_project[waiting.row.project], self._bytes_by_project[waiting.row.project]
        return group


def _is_disk_full(problem: Error) -> bool:
    """SQLITE_FULL, or PostgreSQL's disk_full (class 53 of its error codes)."""
    cause = problem.__cause__
    return getattr(cause, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(cause, "sqlstate", "") == "53100"


def _answer(group: Sequence[_Waiting], error: BaseException | None) -> None:
    """Resolves all futures of a loop in one call into it."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for waiting in group:
        by_loop.setdefault(waiting.loop, []).append(waiting.future)
    for loop, futures in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, futures, error)


def _resolve(futures: Sequence[asyncio.Future[None]], error: BaseException | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


class _Waker:
    """Sends wake-ups from a thread of its own: a broker that is slow or away must not hold up a commit.

    The inbox was empty, so no other wake-up is under way; what this one misses, the sweep finds.
    """

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="inbox-waker", daemon=True)
            self._thread.start()
        self._wanted.set()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._send()
            except Exception:
                logger.exception("the worker could not be woken; the sweep will find the inbox")
