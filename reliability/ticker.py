"""The loop in every worker that wakes due jobs, and gives memory back."""

from __future__ import annotations

import ctypes
import logging
import sys
import threading

from django.db import DatabaseError, close_old_connections, connection

from deploys import clock
from deploys.actions import schedules

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.5
TRIM_TICKS = 20


def run_ticker(stop: threading.Event) -> None:
    """Looks for due jobs twice a second until told to stop. A database that is away is waited for."""
    is_prepared = False
    ticks = 0
    while not stop.wait(TICK_SECONDS):
        ticks += 1
        if ticks % TRIM_TICKS == 0:
            give_memory_back()
        try:
            if not is_prepared:
                _relax()
                schedules.ensure_rows(now=clock.now())
                is_prepared = True
            schedules.wake_due(now=clock.now())
        except DatabaseError as error:
            logger.warning("due jobs could not be read", extra={"problem": str(error)})
            close_old_connections()
            is_prepared = False
        except Exception:  # a broker that is away must not end the loop
            logger.exception("due jobs could not be woken")
    connection.close()


def give_memory_back() -> None:
    """Returns what glibc keeps of freed memory to the system: 10 to 40 MB after a drain. Takes about a millisecond."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)


def _relax() -> None:
    """On SQLite this thread's commits do not wait for the disk: a lease that a power cut takes back is claimed again."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")
