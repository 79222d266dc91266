"""Recurring work: rows with a lease. Any worker may run any job; a lost worker's lease runs out."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError, models

from deploys import clock
from deploys.models import ScheduledJob
from deploys.signals import nothing_ran

logger = logging.getLogger(__name__)

LEASE: Final = dt.timedelta(minutes=5)
#: Some job or other is woken every second. After so long without any, no worker was there.
ABSENCE: Final = dt.timedelta(minutes=2)

_jobs: dict[str, tuple[float, Callable[[], object]]] = {}
_leases: dict[str, dt.timedelta] = {}


def register_job(
    name: str, *, period_seconds: float, wake: Callable[[], object], lease_seconds: float | None = None
) -> None:
    """From now on `wake` is called about every `period_seconds`; it should only send a message (`task.delay`).

    A worker that dies with the job in hand holds it up for `lease_seconds` (LEASE unless said): short for short jobs.
    """
    _jobs[name] = (period_seconds, wake)
    if lease_seconds is not None:
        _leases[name] = dt.timedelta(seconds=lease_seconds)


def ensure_rows(*, now: dt.datetime) -> None:
    """Makes the missing rows, due at once, and updates changed periods. Idempotent."""
    known = {job.name: job for job in ScheduledJob.objects.all()}
    for name, (period, _) in _jobs.items():
        if name not in known:
            ScheduledJob.objects.get_or_create(name=name, defaults={"period_seconds": period, "due_at": now})
        elif known[name].period_seconds != period:
            ScheduledJob.objects.filter(name=name).update(period_seconds=period)


def wake_due(*, now: dt.datetime) -> list[str]:
    """Claims every due job by a conditional update and wakes it; the names woken, in order.

    A job that is still running (leased) is not woken again until its lease runs out. That no worker was there for a
    while is announced first.
    """
    woken = []
    jobs = list(ScheduledJob.objects.filter(name__in=list(_jobs)).order_by("due_at", "id"))
    _announce_absence(jobs, now)
    for job in jobs:
        # an instant further ahead than one period was set by a clock that has been set back since
        period, lease = dt.timedelta(seconds=job.period_seconds), _leases.get(job.name, LEASE)
        if now < job.due_at <= now + period:
            continue
        free = (
            models.Q(leased_until__isnull=True)
            | models.Q(leased_until__lte=now)
            | models.Q(leased_until__gt=now + lease)
        )
        claimed = ScheduledJob.objects.filter(free, pk=job.pk, due_at=job.due_at).update(
            due_at=now + dt.timedelta(seconds=job.period_seconds),
            leased_until=now + lease,
            last_started_at=now,
        )
        if claimed:
            _jobs[job.name][1]()
            woken.append(job.name)
    return woken


def _announce_absence(jobs: Sequence[ScheduledJob], now: dt.datetime) -> None:
    last = max((job.last_started_at for job in jobs if job.last_started_at is not None), default=None)
    if last is None or now - last < ABSENCE:
        return
    for receiver, answer in nothing_ran.send_robust(sender=None, since=last, until=now):
        if isinstance(answer, OperationalError):
            raise answer  # the database is away or busy: nothing is claimed, so the next look announces it again
        if isinstance(answer, Exception):
            logger.error("an absence could not be noted", extra={"receiver": str(receiver)}, exc_info=answer)


def renew(name: str, *, now: dt.datetime) -> None:
    """The job still runs: its lease lasts its whole length from now. Taken, too, by a run that was woken otherwise."""
    ScheduledJob.objects.filter(name=name).update(leased_until=now + _leases.get(name, LEASE))


def last_finished(name: str) -> dt.datetime | None:
    """When the job last gave its lease back; None where it never ran."""
    return ScheduledJob.objects.filter(name=name).values_list("last_finished_at", flat=True).first()


@contextmanager
def running(name: str, *, now: Callable[[], dt.datetime] = clock.now) -> Iterator[list[str]]:
    """Around the work of a job, or around what wakes a worker for it and may find nothing to do: gives the lease back at
    the end, however it ends.

    What it ended with is kept as the job's error and goes on to the caller; so is kept what was added to the list, for
    trouble that does not end it.
    """
    problems: list[str] = []
    try:
        yield problems
    except Exception as problem:
        problems.append(repr(problem))
        raise
    finally:
        finish(name, now=now(), error="; ".join(problems))


def finish(name: str, *, now: dt.datetime, error: str = "") -> None:
    """The job has run: gives its lease back and keeps the error, if any."""
    ScheduledJob.objects.filter(name=name).update(leased_until=None, last_finished_at=now, last_error=error[:2000])
