"""Which bodies were at hand when a worker died, so that one that kills its workers is found and given up.

While a batch is digested its ids stand in a BatchInHand, committed on a connection apart from the digest's transaction;
the transaction that deletes the bodies deletes it too. One that is found although its bodies are not locked belongs to a
worker that died with them (on SQLite the inbox lock says the same: its holder is the only worker). One of those bodies may
be poison: they are tried again after all others, in smaller and smaller batches: 25, 3, 1, 1. A body that was at hand at
MAX_DEATHS deaths, twice alone, is a dead letter. All others were delayed by the deaths, not by their number.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections, models, transaction

from incidents.models import BatchInHand, InboxItem

MAX_DEATHS = 5
_DIVISOR = 8  # how much smaller the batch is after each death

#: Batches of this process that ended without a death, but also without a database to note it in.
_unnoted: set[int] = set()
_lock = threading.Lock()


def take_in_hand(ids: Sequence[int]) -> int:
    """Notes that these bodies are being digested, so that it outlives this process. The id of the note."""
    with _without_fsync():
        return BatchInHand.objects.create(inbox_ids=list(ids)).pk


@contextmanager
def _without_fsync() -> Iterator[None]:
    """A note lost with the power costs nothing, so it does not wait for the disk."""
    alias = settings.APART_ALIAS
    connection = connections[alias]
    if connection.vendor == "postgresql":
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
            yield
        return
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous=FULL")


def let_go(batch: int | None) -> None:
    """The bodies are digested: call it inside the transaction that deletes them."""
    if batch is not None:
        BatchInHand.objects.using(settings.INBOX_ALIAS).filter(pk=batch).delete()


def put_back(batch: int | None) -> None:
    """The bodies stay, for no fault of theirs. Where even this cannot be noted now, it is before the next drain."""
    if batch is None:
        return
    with _lock:
        _unnoted.add(batch)
    with suppress(OperationalError, InterfaceError):
        _note_put_back()


def _note_put_back() -> None:
    with _lock:
        batches = list(_unnoted)
    if batches:
        BatchInHand.objects.filter(pk__in=batches).delete()
    with _lock:
        _unnoted.difference_update(batches)


def examine_deaths() -> None:
    """Counts, for every body, the deaths it was at hand at since this was last called. One query where nobody died."""
    _note_put_back()
    alias = settings.INBOX_ALIAS
    for batch in BatchInHand.objects.using(alias).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic(using=alias):
            found = BatchInHand.objects.using(alias).select_for_update(skip_locked=True).filter(pk=batch).first()
            if found is None:
                continue
            bodies = InboxItem.objects.filter(pk__in=found.inbox_ids)
            free = list(bodies.select_for_update(skip_locked=True).values_list("pk", flat=True))
            if free or not bodies.exists():
                InboxItem.objects.filter(pk__in=free).update(attempts=models.F("attempts") + 1)
                let_go(batch)


def next_doubtful(waiting: models.QuerySet[InboxItem], size: int) -> list[InboxItem]:
    """The next to try together of those that may be poison: at hand at the fewest deaths, fewer the more these are."""
    doubtful = list(waiting.filter(attempts__gt=0).order_by("attempts", "pk")[: max(1, size // _DIVISOR)])
    if not doubtful:
        return []
    deaths = doubtful[0].attempts
    return [row for row in doubtful[: max(1, size // _DIVISOR**deaths)] if row.attempts == deaths]
