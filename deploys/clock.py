"""The one clock. Entry points ask it; everything below gets the time as an argument."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

_fixed: ContextVar[dt.datetime | None] = ContextVar("fixed_clock", default=None)


def now() -> dt.datetime:
    """The present instant, aware, UTC. Shifted by UPSHOT_CLOCK_OFFSET_SECONDS in test processes; fixed inside `at`."""
    fixed = _fixed.get()
    if fixed is not None:
        return fixed
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=settings.CLOCK_OFFSET_SECONDS)


@contextmanager
def at(instant: dt.datetime) -> Iterator[None]:
    """Inside this block `now()` is `instant` (aware). For replay, the demo history and tests."""
    if instant.tzinfo is None:
        raise ValueError("expected an aware instant")
    token = _fixed.set(instant.astimezone(dt.UTC))
    try:
        yield
    finally:
        _fixed.reset(token)
