"""Writers of one process: one after the other, and those who wait together write together."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from django.db import OperationalError, close_old_connections, connection, transaction

_TURN: Final = threading.RLock()
"""Reentrant: what runs once a transaction has committed may write again."""
MOST: Final = 32
"""Items of one group: the last of them waits for all, and nobody else writes meanwhile."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextlib.contextmanager
def one_write() -> Iterator[None]:
    """One transaction. Where a database has one writer at a time, the threads of this process wait for each other here.

    SQLite has those who wait look again after ever longer pauses: with eight writers some wait for seconds while others
    pass them. Who is inside a transaction already has the database, and must not wait for those who wait for it.
    """
    waits = not connection.features.has_select_for_update and not connection.in_atomic_block
    with _TURN if waits else contextlib.nullcontext(), transaction.atomic():
        yield


class _Ticket(Generic[Item, Result]):
    """What one caller brought, and what became of it."""

    __slots__ = ("error", "is_done", "item", "result", "tell")

    def __init__(self, item: Item, tell: Callable[[Result | None, BaseException | None], None] | None = None) -> None:
        self.item = item
        self.tell = tell
        self.is_done = False
        self.result: Result | None = None
        self.error: BaseException | None = None


class Together(Generic[Item, Result]):
    """Group commit: while one thread works, what others bring waits; one of those takes all of it and works for them.

    No timer: a lone caller waits for nobody. `work` takes several items in one transaction and gives for each, in order, a
    result or the error its caller is to be told. Where it raises, nothing of the group was written, and each is tried
    alone, so that one bad item harms no other; a busy database is told to all at once.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result | Exception]], *, most: int = MOST) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[_Ticket[Item, Result]] = deque()
        self._changed = threading.Condition()
        self._is_led = False
        self._thread: threading.Thread | None = None

    def __call__(self, item: Item) -> Result:
        """The result for this item, once it is written; raises its error."""
        ticket: _Ticket[Item, Result] = _Ticket(item)
        if connection.in_atomic_block:  # its transaction is not ours to end, and others must not wait for it
            self._serve([ticket])
        else:
            self._wait(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.result  # type: ignore[return-value]  # no error: `work` gave a result

    def later(self, item: Item, tell: Callable[[Result | None, BaseException | None], None]) -> None:
        """Takes the item and returns at once: for callers who are no threads, of which as many may wait as like.

        `tell` is called with the result, or else with the error, in the thread that did the work; it must be quick.
        """
        with self._changed:
            self._waiting.append(_Ticket(item, tell))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="turns", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _wait(self, ticket: _Ticket[Item, Result]) -> None:
        with self._changed:
            self._waiting.append(ticket)
            while self._is_led and not ticket.is_done:
                self._changed.wait()
            if ticket.is_done:
                return
            self._is_led = True
        self._lead(lambda: not ticket.is_done)

    def _run(self) -> None:
        """The thread that leads where nobody waits who could."""
        while True:
            with self._changed:
                while self._is_led or not self._waiting:
                    self._changed.wait()
                self._is_led = True
            close_old_connections()
            with contextlib.suppress(Exception):  # each caller was told of its own
                self._lead(lambda: bool(self._waiting))

    def _lead(self, goes_on: Callable[[], bool]) -> None:
        try:
            while goes_on():
                with self._changed:
                    group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
                self._serve(group)
        finally:
            with self._changed:
                self._is_led = False
                self._changed.notify_all()

    def _serve(self, group: Sequence[_Ticket[Item, Result]]) -> None:
        try:
            self._try(group)
        except Exception as error:  # noqa: BLE001 -- each caller is told of its own
            for ticket in group:
                if len(group) == 1 or isinstance(error, OperationalError):
                    ticket.error = error
                else:
                    self._serve([ticket])
        except BaseException as error:
            for ticket in group:
                ticket.error = error
            raise
        finally:
            for ticket in group:
                if not ticket.is_done:  # one that was tried alone has been told
                    ticket.is_done = True
                    if ticket.tell is not None:
                        ticket.tell(ticket.result, ticket.error)

    def _try(self, group: Sequence[_Ticket[Item, Result]]) -> None:
        for ticket, done in zip(group, self._work([ticket.item for ticket in group]), strict=True):
            if isinstance(done, Exception):
                ticket.error = done
            else:
                ticket.result = done
