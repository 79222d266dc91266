"""kill -9 under load, of the process that takes errors in and of the one that digests them.

Each client notes an event's id after the 200. Afterwards nothing noted may be missing, nothing may be there twice, and
every counter must equal the rows it counts. Each body also carries one session, which has no id of its own: were a
batch digested twice, sessions would outnumber events.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import uuid
from collections.abc import Iterator

import pytest

from tests.incidents.live import AUTH, Live, counters

pytestmark = pytest.mark.processes


class Load:
    """Clients that send until told to stop, and remember what was acknowledged."""

    def __init__(self, live: Live, clients: int) -> None:
        self.acknowledged: set[str] = set()
        self.sent = 0
        self.refused: dict[int, int] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._port = live.instance.port
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, client: int) -> None:
        dice = random.Random(client)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        for event_id, body in _bodies(dice):
            if self._stop.is_set():
                break
            try:
                connection.request("POST", "/api/42/envelope/", body, AUTH)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self._stop.wait(0.05)
                continue
            with self._lock:
                self.sent += 1
                if answer.status == 200:
                    self.acknowledged.add(event_id)
                else:
                    self.refused[answer.status] = self.refused.get(answer.status, 0) + 1
        connection.close()


def _bodies(dice: random.Random) -> Iterator[tuple[str, bytes]]:
    while True:
        event_id = uuid.UUID(int=dice.getrandbits(128)).hex
        event = {
            "message": f"fault {'abcdefghij'[dice.randrange(10)]}",
            "user": {"id": f"u{dice.randrange(40)}"},
            "release": f"1.{dice.randrange(3)}",
            "server_name": f"web-{dice.randrange(4)}",
        }
        session = {"attrs": {"release": "1"}, "aggregates": [{"started": "2026-11-21T01:00:00Z", "exited": 1}]}
        lines = [{"event_id": event_id}, {"type": "event"}, event, {"type": "sessions"}, session]
        yield event_id, "\n".join(json.dumps(line) for line in lines).encode()


def kill_and_count(live: Live, *, kills: int, seed: int, clients: int = 8) -> int:
    """Kills one process after another while clients send; how many events were acknowledged, all of them accounted for."""
    dice = random.Random(seed)
    live.start_worker()
    with Load(live, clients) as load:
        for number in range(kills):
            threading.Event().wait(dice.uniform(0.2, 1.5))
            if number % 2:
                live.kill("web")
                live.start_web()
            else:
                live.kill("worker")
                live.start_worker()
        threading.Event().wait(0.5)
    live.wait_until_digested(120)
    stored = [event_id for (event_id,) in live.query("SELECT event_id FROM incidents_errorevent")]
    dead = live.query("SELECT event_id, reason FROM incidents_deadletter", inbox=True)
    assert (load.acknowledged - set(stored), dead) == (set(), [])
    assert len(stored) == len(set(stored))
    found = counters(live) | {"sessions": (live.number("SELECT sum(count) FROM incidents_trafficcount"), len(stored))}
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}
    assert load.refused == {}
    return len(load.acknowledged)


def integrity(live: Live) -> list[tuple[str]]:
    return [*live.query("PRAGMA integrity_check"), *live.query("PRAGMA integrity_check", inbox=True)]


def kills_of(config: pytest.Config) -> int:
    return 40 if config.getoption("--soak") else 6


def test_nothing_acknowledged_is_lost_or_doubled_on_sqlite(live: Live, pytestconfig: pytest.Config) -> None:
    acknowledged = kill_and_count(live, kills=kills_of(pytestconfig), seed=1)

    assert acknowledged > 500
    assert integrity(live) == [("ok",), ("ok",)]


@pytest.mark.services
def test_nothing_acknowledged_is_lost_or_doubled_on_postgresql(
    postgres_live: Live, pytestconfig: pytest.Config
) -> None:
    assert kill_and_count(postgres_live, kills=kills_of(pytestconfig), seed=2) > 500
