"""Which DSN keys are valid, remembered for a few seconds.

Answers are remembered by project *and* key: were a wrong key remembered by project alone, anybody could silence a
project with one request. While the database is away, a key that was valid a while ago stays so: a client does not send
an error twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import DatabaseError, close_old_connections

from deploys.models import DsnKey

logger = logging.getLogger(__name__)

VALID_SECONDS = 5.0
INVALID_SECONDS = 2.0
STALE_SECONDS = 3_600.0
MAX_REMEMBERED = 10_000
MAX_LOOKUPS = 500


class KeysUnavailable(Exception):
    """The database does not answer and the key was never seen."""


@dataclass(frozen=True, slots=True)
class _Known:
    is_valid: bool
    looked_up_at: float

    def is_fresh(self, now: float) -> bool:
        return now - self.looked_up_at < (VALID_SECONDS if self.is_valid else INVALID_SECONDS)


def look_up(project: int, key: str) -> bool:
    """Is this an active key of the service with this number? One query."""
    return DsnKey.objects.filter(public_key=key, service__number=project, is_active=True).exists()


class KeyCache:
    """Answers from memory where it can; asks the database in one thread of its own where it cannot.

    Belongs to one event loop. At most MAX_REMEMBERED pairs are kept, the oldest go first.
    """

    def __init__(
        self, *, find: Callable[[int, str], bool] = look_up, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._find = find
        self._clock = clock
        self._known: OrderedDict[tuple[int, str], _Known] = OrderedDict()
        self._running: dict[tuple[int, str], asyncio.Future[bool]] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dsn-keys")

    async def is_valid(self, project: int, key: str) -> bool:
        """Raises KeysUnavailable when nobody can tell, or too many ask at once."""
        pair = (project, key)
        known = self._known.get(pair)
        if known is not None and known.is_fresh(self._clock()):
            return known.is_valid
        running = self._running.get(pair)
        if running is None:
            if len(self._running) >= MAX_LOOKUPS:
                raise KeysUnavailable("too many unknown keys at once")
            running = asyncio.ensure_future(self._ask(pair))
            self._running[pair] = running
            running.add_done_callback(lambda done: self._forget(pair, done))
        return await asyncio.shield(running)

    def _forget(self, pair: tuple[int, str], done: asyncio.Future[bool]) -> None:
        self._running.pop(pair, None)
        if not done.cancelled():
            done.exception()  # looked at, so that a sender who left is no warning

    async def _ask(self, pair: tuple[int, str]) -> bool:
        loop = asyncio.get_running_loop()
        try:
            is_valid = await loop.run_in_executor(self._thread, self._find_and_release, pair)
        except DatabaseError as error:
            known = self._known.get(pair)
            if known is not None and known.is_valid and self._clock() - known.looked_up_at < STALE_SECONDS:
                logger.warning("keys cannot be looked up; a remembered one is used")
                return True
            raise KeysUnavailable("keys cannot be looked up") from error
        self._remember(pair, is_valid)
        return is_valid

    def _find_and_release(self, pair: tuple[int, str]) -> bool:
        try:
            return self._find(*pair)
        finally:
            close_old_connections()

    def _remember(self, pair: tuple[int, str], is_valid: bool) -> None:  # noqa: FBT001 -- the answer, not a switch
        self._known[pair] = _Known(is_valid, self._clock())
        self._known.move_to_end(pair)
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
