"""Small chores of the web process that repeat, each in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import Error, connections

logger = logging.getLogger(__name__)


class Repeating:
    """Calls `work` every `seconds` until stopped; a database that is away is waited for."""

    def __init__(self, name: str, *, seconds: float, work: Callable[[], None]) -> None:
        self._work = work
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins with a first call at once."""
        self._thread.start()

    def stop(self, *, seconds: float = 5.0) -> None:
        """Ends the thread, and works a last time here. Waits for a call that is under way, up to `seconds`."""
        if self._stop.is_set():
            return
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        self._once()

    def _run(self) -> None:
        self._once()
        while not self._stop.wait(self._seconds):
            self._once()
        connections.close_all()

    def _once(self) -> None:
        try:
            self._work()
        except Error as error:
            logger.warning("a chore could not be done yet", extra={"chore": self._thread.name, "problem": str(error)})
            connections.close_all()
        except Exception:
            logger.exception("a chore failed", extra={"chore": self._thread.name})
