"""What was refused, counted in memory and written down now and then: a refusal costs no write, a flood no memory.

Counted by project, hour and reason. A normal end of the process writes what is left; a killed one loses some seconds'
worth. What was accepted is counted by the digest instead, exactly, from the bodies themselves.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

from deploys import clock
from deploys.domain.instants import floor_hour
from incidents.actions.refusals import Refused, record_refusals

logger = logging.getLogger(__name__)

#: Different (project, hour, reason) that are held between two writes. Half of them are kept for senders with a key.
MAX_KEYS: Final = 2_000
FLUSH_SECONDS: Final = 5.0
#: Reasons that only the holder of a key can cause.
PROVEN: Final = frozenset({"rate", "backlog", "inbox", "queue", "disk"})


class Tally:
    """Counts from the event loop; is emptied from another thread."""

    def __init__(
        self, *, record: Callable[[Counter[Refused]], int] = record_refusals, now: Callable[[], dt.datetime] = clock.now
    ) -> None:
        self._record = record
        self._now = now
        self._lock = threading.Lock()
        self._counts: Counter[Refused] = Counter()
        self._uncounted = 0

    def add(self, project: int | None, reason: str) -> None:
        """One body of this project was refused. A body that names no project is in no count but the log's."""
        with self._lock:
            if project is None:
                self._uncounted += 1
                return
            key = Refused(project, floor_hour(self._now()), reason)
            most = MAX_KEYS if reason in PROVEN else MAX_KEYS // 2
            if key in self._counts or len(self._counts) < most:
                self._counts[key] += 1
            else:
                self._uncounted += 1

    def flush(self) -> None:
        """Writes down what was counted. What cannot be written stays counted, and is raised."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            uncounted, self._uncounted = self._uncounted, 0
        try:
            unknown = self._record(counts) if counts else 0
        except Exception:
            with self._lock:
                self._counts.update(counts)
                self._uncounted += uncounted
            raise
        if unknown + uncounted:
            logger.warning("bodies of no known project were refused", extra={"quantity": unknown + uncounted})
