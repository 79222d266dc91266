"""Is this instance well: what /readyz asks."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import Max, Min

from deploys.models import ScheduledJob
from incidents.models import InboxItem
from incidents.queries.storage import MIB, free_bytes

LATE_BACKLOG: Final = dt.timedelta(minutes=5)
SILENT_WORKER: Final = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, whether it is well, and what was seen, in words."""

    name: str
    ok: bool
    seen: str


def findings(*, now: dt.datetime) -> list[Finding]:
    """What was looked at, in a fixed order. A database that does not answer is a finding, not an exception."""
    questions: tuple[tuple[str, Callable[[dt.datetime], tuple[bool, str]]], ...] = (
        ("database", _database),
        ("inbox", _inbox),
        ("worker", _worker),
        ("disk", _disk),
    )
    found = []
    for name, question in questions:
        try:
            ok, seen = question(now)
        except DatabaseError as error:
            ok, seen = False, f"the database does not answer: {type(error).__name__}"
        found.append(Finding(name, ok, seen))
    return found


def _database(now: dt.datetime) -> tuple[bool, str]:
    for alias in settings.DATABASES:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    return True, "answers"


def _inbox(now: dt.datetime) -> tuple[bool, str]:
    oldest = InboxItem.objects.aggregate(at=Min("received_at"))["at"]
    if oldest is None:
        return True, "empty"
    age = now - oldest
    return age <= LATE_BACKLOG, f"the oldest body has waited {age.total_seconds():.0f} s"


def _worker(now: dt.datetime) -> tuple[bool, str]:
    last = ScheduledJob.objects.aggregate(at=Max("last_started_at"))["at"]
    if last is None:
        return False, "no worker has run here yet"
    age = now - last
    return age <= SILENT_WORKER, f"the last job started {age.total_seconds():.0f} s ago"


def _disk(now: dt.datetime) -> tuple[bool, str]:
    free = shutil.disk_usage(settings.DATA_DIR).free
    seen = f"{free // MIB} MiB free in the data directory"
    left = free_bytes() if settings.INBOX_ALIAS == "default" else None
    if left is not None:
        seen += f", {left // MIB} MiB left of what the database may take"
    return min(free, free if left is None else left) >= settings.RESERVED_DISK_BYTES, seen


@dataclass(frozen=True, slots=True)
class JobLine:
    """A recurring job as it stands: `state` in words, `error` of its last run as it was raised."""

    job: ScheduledJob
    state: str
    is_well: bool

    @property
    def error(self) -> str:
        """What the last run ended with, empty if well."""
        return self.job.last_error


def jobs(*, now: dt.datetime) -> list[JobLine]:
    """Those in trouble first, then by name: with an error, or overdue. One query."""
    lines = [_judged(job, now) for job in ScheduledJob.objects.order_by("name")]
    return sorted(lines, key=lambda line: line.is_well)


def _judged(job: ScheduledJob, now: dt.datetime) -> JobLine:
    is_late = now - job.due_at > dt.timedelta(seconds=job.period_seconds) + SILENT_WORKER
    if job.last_error:
        return JobLine(job, "failed", is_well=False)
    if is_late:
        return JobLine(job, "overdue", is_well=False)
    if job.leased_until is not None and job.leased_until > now:
        return JobLine(job, "at work", is_well=True)
    return JobLine(job, "well" if job.last_finished_at else "not yet run", is_well=True)
