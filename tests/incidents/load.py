"""Clients that send while processes are killed, and the reckoning afterwards.

Each client notes an event's id after the 200. Nothing noted may be missing, nothing may be there twice, and every counter
must equal the rows it counts. Each body also carries one bucket of sessions, which has no id of its own: were a batch
digested twice, sessions would outnumber events.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import uuid
from collections.abc import Iterator

from tests.incidents.live import AUTH, Live, counters


class Load:
    """Clients that send until told to stop, `pause` seconds after each answer, and remember what was acknowledged."""

    def __init__(self, live: Live, clients: int = 8, *, pause: float = 0.0) -> None:
        self._pause = pause
        self.acknowledged: set[str] = set()
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
        for event_id, body in bodies(dice):
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
                if answer.status == 200:
                    self.acknowledged.add(event_id)
                elif answer.status != 429:  # told to wait, as it may be
                    self.refused[answer.status] = self.refused.get(answer.status, 0) + 1
            if self._pause or answer.status == 429:
                self._stop.wait(self._pause or 0.2)
        connection.close()


def bodies(dice: random.Random) -> Iterator[tuple[str, bytes]]:
    """A new fault every fifty bodies of a client, so that incidents open and grow all the time."""
    number = 0
    while True:
        number += 1
        event_id = uuid.UUID(int=dice.getrandbits(128)).hex
        letters = "abcdefghij"
        event = {
            "message": f"fault {letters[dice.randrange(10)]} of kind {'x' * (number // 50)}",
            "user": {"id": f"u{dice.randrange(40)}"},
            "release": f"1.{dice.randrange(3)}",
            "server_name": f"web-{dice.randrange(4)}",
        }
        session = {"attrs": {"release": "1"}, "aggregates": [{"started": "2026-11-21T01:00:00Z", "exited": 1}]}
        lines = [{"event_id": event_id}, {"type": "event"}, event, {"type": "sessions"}, session]
        yield event_id, "\n".join(json.dumps(line) for line in lines).encode()


def reckoning(live: Live, load: Load) -> dict[str, object]:
    """What is wrong, by name, once everything is digested: empty where the promise was kept."""
    live.wait_until_digested(1_200)
    stored = [event_id for (event_id,) in live.query("SELECT event_id FROM incidents_errorevent")]
    found = counters(live) | {"sessions": (live.number("SELECT sum(count) FROM incidents_trafficcount"), len(stored))}
    verdicts = live.query(
        "SELECT incident_id, number, count(*) FROM incidents_verdict GROUP BY 1, 2 HAVING count(*) > 1"
    )
    wrong: dict[str, object] = {
        "missing": load.acknowledged - set(stored),
        "doubled": len(stored) - len(set(stored)),
        "dead letters": live.query("SELECT event_id, reason FROM incidents_deadletter", inbox=True),
        "left in hand": live.query("SELECT id FROM incidents_batchinhand", inbox=True),
        "counters": {name: pair for name, pair in found.items() if pair[0] != pair[1]},
        "verdicts written twice": verdicts,
        "refused": load.refused,
        "integrity": [line for line in live.integrity() if line != "ok"],
    }
    return {name: value for name, value in wrong.items() if value}
