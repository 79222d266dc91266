"""The loop in every worker that wakes due jobs."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, close_old_connections, connection

from deploys import clock
from deploys.actions import schedules

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.5


def run_ticker(stop: threading.Event) -> None:
    """Looks for due jobs twice a second until told to stop. A database that is away is waited for."""
    is_prepared = False
    while not stop.wait(TICK_SECONDS):
        try:
            if not is_prepared:
                schedules.ensure_rows(now=clock.now())
                is_prepared = True
            schedules.wake_due(now=clock.now())
        except DatabaseError as error:
            logger.warning("due jobs could not be read", extra={"problem": str(error)})
            close_old_connections()
        except Exception:  # a broker that is away must not end the loop
            logger.exception("due jobs could not be woken")
    connection.close()
