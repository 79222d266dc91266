"""Runs of recurring jobs: what became of one, from reports that come in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

IN_PROGRESS: Final = "in_progress"
OK: Final = "ok"
ERROR: Final = "error"
MISSED: Final = "missed"
TIMEOUT: Final = "timeout"
#: A job that starts this little before its time started for it: clocks differ, and schedulers are not exact.
EARLY: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Report:
    """A job's word on one run at the instant `at`; `seconds` is how long it says it took."""

    at: datetime
    status: str
    seconds: float | None = None

    @property
    def is_final(self) -> bool:
        return self.status != IN_PROGRESS

    @property
    def started_at(self) -> datetime:
        """When the run must have started by the latest, going by this report alone."""
        return self.at - timedelta(seconds=self.seconds or 0) if self.is_final else self.at


@dataclass(frozen=True, slots=True)
class Run:
    """All that is known of one run: its earliest start, and the last of its final words (None while it runs)."""

    started_at: datetime
    end: Report | None = None

    def joined(self, other: Run) -> Run:
        """What both know together. Associative, commutative, idempotent."""
        ends = [end for end in (self.end, other.end) if end is not None]
        return Run(
            started_at=min(self.started_at, other.started_at),
            end=max(
                ends,
                key=lambda end: (end.at, end.status == ERROR, -1.0 if end.seconds is None else end.seconds),
                default=None,
            ),
        )

    @property
    def seconds(self) -> float | None:
        """How long it took: by its own word, else between its first and its last report; never negative."""
        if self.end is None:
            return None
        return self.end.seconds if self.end.seconds is not None else (self.end.at - self.started_at).total_seconds()

    def outcome(self, *, max_runtime: timedelta, now: datetime) -> str:
        """Its status as of `now`: a run that takes too long is a fault, whatever it says in the end."""
        deadline = self.started_at + max_runtime
        if self.end is None:
            return TIMEOUT if now >= deadline else IN_PROGRESS
        took = self.seconds or 0.0
        return TIMEOUT if self.end.status == OK and took > max_runtime.total_seconds() else self.end.status


def run_of(reports: Iterable[Report]) -> Run:
    """One run from one report or more."""
    runs = [Run(each.started_at, each if each.is_final else None) for each in reports]
    whole = runs[0]
    for each in runs[1:]:
        whole = whole.joined(each)
    return whole
