"""What happens to errors, deploys and pages while the broker or the database is away or locked."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.conftest import skip_or_fail
from tests.incidents.live import Live, counters, postgres, prepared
from tests.instance import eventually

pytestmark = pytest.mark.processes
GOOD = b'{}\n{"type":"event"}\n{"message":"x"}\n'


class Cable:
    """A TCP forwarder that can be cut and mended: a server that goes away and comes back."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.is_cut = self.is_mute = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        self.is_cut = True
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._pairs.clear()

    def mend(self) -> None:
        self.is_cut = self.is_mute = False

    def mute(self) -> None:
        """From now on it answers to the call and says nothing: worse than one that refuses."""
        self.cut()
        self.is_cut, self.is_mute = False, True

    def close(self) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.socket() if self.is_mute else socket.create_connection(self.target)
            self._pairs.append((near, far))
            if self.is_mute:
                continue
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cable(host: str, port: int) -> Iterator[Cable]:
    found = Cable(host, port)
    try:
        yield found
    finally:
        found.close()


def send(live: Live, count: int) -> tuple[set[str], set[int]]:
    """Sends events one by one: ids that were acknowledged, and all statuses."""
    taken, statuses = set(), set()
    for _ in range(count):
        event_id = uuid.uuid4().hex
        body = b'{"event_id":"%s"}\n{"type":"event"}\n{"message":"x"}\n' % event_id.encode()
        status, _ = live.post("/api/42/envelope/", body)
        statuses.add(status)
        if status == 200:
            taken.add(event_id)
    return taken, statuses


def stored(live: Live) -> set[str]:
    return {event_id for (event_id,) in live.query("SELECT event_id FROM incidents_errorevent")}


def test_a_locked_database_delays_writes_and_nothing_else(live: Live) -> None:
    """Somebody holds the write lock of the main file: errors are taken in, pages are read, a deploy waits its turn."""
    token = live.instance.provision("shop/shop")["deploy_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    live.start_worker()
    with contextlib.closing(
        sqlite3.connect(live.instance.data / "upshot.sqlite3", timeout=30, isolation_level=None)
    ) as lock:
        lock.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(6) as pool:  # more than the threads that write
            deploys = [
                pool.submit(live.post, "/api/v1/deploys", b'{"id": "%d", "service": "shop"}' % number, headers)
                for number in range(6)
            ]
            errors = {live.post("/api/42/envelope/", GOOD)[0] for _ in range(50)}
            pages = {live.get("/sign-in/")[0] for _ in range(5)}
            assert not any(each.done() for each in deploys)
            lock.execute("ROLLBACK")
            written = {each.result()[0] for each in deploys}

    assert (errors, pages, written) == ({200}, {200}, {201})
    eventually(
        lambda: live.number("SELECT count(*) FROM incidents_errorevent") == 50, seconds=60, what="all events digested"
    )


@pytest.mark.services
@pytest.mark.parametrize("how", ["cut", "mute"])
def test_without_a_broker_errors_are_taken_in_and_digested_later(tmp_path: Path, how: str) -> None:
    """No answer waits for the broker: one that says nothing would hold each up until the test's client gives up."""
    try:
        socket.create_connection(("127.0.0.1", 6379), 2).close()
    except OSError as error:
        skip_or_fail(f"no Redis: {error}")
    number = 9 + os.getpid() % 6  # a database of its own among those nobody else uses
    with (
        cable("127.0.0.1", 6379) as broker,
        prepared(tmp_path / "data", UPSHOT_BROKER_URL=f"redis://127.0.0.1:{broker.port}/{number}") as live,
    ):
        live.start_web()
        live.start_worker()
        before, _ = send(live, 5)
        eventually(lambda: stored(live) == before, seconds=30, what="the first events")

        getattr(broker, how)()
        during, statuses = send(live, 200)
        assert (statuses, len(during)) == ({200}, 200)

        broker.cut()
        broker.mend()
        eventually(lambda: stored(live) == before | during, seconds=120, what="what came while the broker was away")
        assert {name: pair for name, pair in counters(live).items() if pair[0] != pair[1]} == {}


@pytest.mark.services
def test_without_postgresql_nothing_is_acknowledged_and_it_recovers_by_itself(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except psycopg.OperationalError as error:
            skip_or_fail(f"no PostgreSQL: {error}")
        parts = urlsplit(url)
        line = stack.enter_context(cable(parts.hostname or "127.0.0.1", parts.port or 5432))
        user = f"{parts.username}@" if parts.username else ""
        through = f"postgres://{user}127.0.0.1:{line.port}{parts.path}"
        live = stack.enter_context(prepared(tmp_path / "data", UPSHOT_DATABASE_URL=through))
        live.start_web()
        live.start_worker()
        before, _ = send(live, 5)
        eventually(lambda: stored(live) == before, seconds=30, what="the first events")

        line.cut()
        during, statuses = send(live, 20)
        assert (during, statuses) == (set(), {503})
        assert live.instance.is_up()
        status, page_headers, page = live.get("/sign-in/")
        assert (status, page_headers["Retry-After"], b"Try again" in page) == (503, "5", True)

        line.mend()
        eventually(lambda: send(live, 1)[1] == {200}, seconds=60, what="a 200 again")
        after, statuses = send(live, 20)
        assert statuses == {200}
        eventually(lambda: before | after <= stored(live), seconds=60, what="everything acknowledged")
        assert {name: pair for name, pair in counters(live).items() if pair[0] != pair[1]} == {}
