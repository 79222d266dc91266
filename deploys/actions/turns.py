"""Writers of one process, one after the other."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

from django.db import connection, transaction

_TURN: Final = threading.RLock()
"""Reentrant: what runs once a transaction has committed may write again."""


@contextlib.contextmanager
def one_write() -> Iterator[None]:
    """One transaction. Where a database has one writer at a time, the threads of this process wait for each other here.

    SQLite has those who wait look again after ever longer pauses: with eight writers some wait for seconds while others
    pass them. Who is inside a transaction already has the database, and must not wait for those who wait for it.
    """
    waits = not connection.features.has_select_for_update and not connection.in_atomic_block
    with _TURN if waits else contextlib.nullcontext(), transaction.atomic():
        yield
