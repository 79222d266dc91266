"""How often flags are asked for: counted in each process, added up in the database, kept by hours and then by days."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db.models import Max, Sum

from deploys.actions.turns import one_write
from deploys.actions.upserts import add_up
from deploys.models import FlagCheck

#: How long hours are told apart.
HOURS_KEPT: Final = dt.timedelta(days=30)
FLUSH_SECONDS: Final = 5.0
#: Keys that are no flag's, and different counts at all, that one process holds between two writes: a browser's key is
#: public, and whoever has it can ask for anything.
MOST_UNKNOWN: Final = 200
MOST_COUNTS: Final = 50_000
OTHERS: Final = "(others)"


class Counted(NamedTuple):
    """What is counted apart. `variant` is empty where there was no value."""

    environment_id: int
    key: str
    application: str
    variant: str
    hour: dt.datetime
    kind: str


@dataclass(slots=True)
class _Count:
    quantity: int
    last_at: dt.datetime


class CheckTally:
    """Counts from the event loop; emptied from another thread. Exact but for what a killed process had not written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Counted, _Count] = {}
        #: The counts of the hour now running, by what is cheap to make for each evaluation: a tenth of the way above.
        self._running: dict[tuple[int, str, str, str, str], _Count] = {}
        self._begins_at = self._ends_at = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._unknown: set[tuple[int, str]] = set()

    def add(
        self,
        environment_id: int,
        key: str,
        application: str,
        variant: str,
        kind: str,
        at: dt.datetime,
        quantity: int = 1,
    ) -> None:
        """So many more."""
        short = (environment_id, key, application, variant, kind)
        with self._lock:
            # what was last seen in the running hour lies in it: two comparisons say that this one does, and is the later
            running = self._running.get(short)
            if running is not None and running.last_at <= at < self._ends_at:
                running.quantity += quantity
                running.last_at = at
                return
            hour = at.replace(minute=0, second=0, microsecond=0)
            if not variant:
                key = self._known(environment_id, key)
            counted = Counted(environment_id, key, application, variant, hour, kind)
            count = self._counts.get(counted)
            if count is None and len(self._counts) >= MOST_COUNTS:
                counted = Counted(environment_id, OTHERS, application, "", hour, kind)
                count = self._counts.get(counted)
            if count is None:
                count = self._counts[counted] = _Count(quantity, at)
            else:
                count.quantity += quantity
                count.last_at = max(count.last_at, at)
            if variant:  # keys that are no flag's may be any number
                self._remember(short, hour, count)

    def _remember(self, short: tuple[int, str, str, str, str], hour: dt.datetime, count: _Count) -> None:
        if hour > self._begins_at:
            self._running = {}
            self._begins_at, self._ends_at = hour, hour + dt.timedelta(hours=1)
        if hour == self._begins_at:
            self._running[short] = count

    def _known(self, environment_id: int, key: str) -> str:
        if (environment_id, key) in self._unknown:
            return key
        if len(self._unknown) >= MOST_UNKNOWN:
            return OTHERS
        self._unknown.add((environment_id, key))
        return key

    def flush(self) -> None:
        """Writes down what was counted. What cannot be written stays counted, and is raised."""
        with self._lock:
            counts, self._counts = self._counts, {}
            self._running, self._unknown = {}, set()
        try:
            record_checks({counted: (count.quantity, count.last_at) for counted, count in counts.items()})
        except Exception:
            with self._lock:
                for counted, count in counts.items():
                    newer = self._counts.setdefault(counted, _Count(0, count.last_at))
                    newer.quantity += count.quantity
            raise


def record_checks(counts: Mapping[Counted, tuple[int, dt.datetime]]) -> None:
    """Adds these to what other processes counted, in one transaction."""
    if not counts:
        return
    with one_write():
        add_up(
            model=FlagCheck, keys=_COLUMNS, counters=["quantity"], latest=["last_at"],
            rows=[(*counted, quantity, last_at) for counted, (quantity, last_at) in counts.items()],
        )  # fmt: skip


_COLUMNS: Final = ("environment", "key", "application", "variant", "hour", "kind")


def fold_old_hours(*, now: dt.datetime) -> int:
    """Adds the hours of days older than HOURS_KEPT up, to one row a day at its first hour. How many rows went.

    Idempotent; a day at a time, each in a transaction.
    """
    gone = 0
    limit = (now - HOURS_KEPT).replace(hour=0, minute=0, second=0, microsecond=0)
    old = FlagCheck.objects.filter(hour__lt=limit)
    days = {each.replace(hour=0) for each in old.exclude(hour__hour=0).values_list("hour", flat=True).distinct()}
    for day in sorted(days):
        with one_write():
            hours = FlagCheck.objects.filter(hour__gt=day, hour__lt=day + dt.timedelta(days=1))
            groups = hours.values_list("environment_id", "key", "application", "variant", "kind")
            rows = [
                (environment, key, application, variant, day, kind, quantity, last_at)
                for environment, key, application, variant, kind, quantity, last_at in groups.annotate(
                    Sum("quantity"), Max("last_at")
                )
            ]
            gone += hours.delete()[0]
            add_up(model=FlagCheck, keys=_COLUMNS, counters=["quantity"], latest=["last_at"], rows=rows)
    return gone
