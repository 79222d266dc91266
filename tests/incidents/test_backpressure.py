"""One project sends far more than it may: it is told to wait, all else goes on, and what was taken is stored."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from tests.incidents.live import AUTH, copied
from tests.instance import eventually

pytestmark = pytest.mark.processes

RATE, BURST, FLOOD, QUIET = 20, 50, 42, 43
_QUIET_KEY = "f" * 32
_MAKE_QUIET = f"""
from deploys import clock
from deploys.models import DsnKey, Service, Team
service = Service.objects.create(team=Team.objects.get(), number={QUIET}, name="quiet", created_at=clock.now())
DsnKey.objects.create(service=service, public_key="{_QUIET_KEY}", created_at=clock.now())
"""


class Sender(threading.Thread):
    """Sends events of one project, one after the other, until told to stop; what it heard."""

    def __init__(self, port: int, project: int, key: str, *, pause: float) -> None:
        super().__init__()
        self._port, self._path, self._pause = port, f"/api/{project}/envelope/", pause
        self._auth = AUTH | {"X-Sentry-Auth": f"Sentry sentry_key={key}, sentry_version=7"}
        self.stopping = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.acknowledged: set[str] = set()
        self.told: set[tuple[str | None, str | None]] = set()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self.stopping.wait(self._pause):
            event_id = uuid.uuid4().hex
            body = f'{{"event_id":"{event_id}"}}\n{{"type":"event"}}\n{{"message":"x"}}\n'.encode()
            connection.request("POST", self._path, body, self._auth)
            answer = connection.getresponse()
            answer.read()
            self.statuses[answer.status] += 1
            if answer.status == 200:
                self.acknowledged.add(event_id)
            else:
                self.told.add((answer.headers["Retry-After"], answer.headers["X-Sentry-Rate-Limits"]))
        connection.close()


def peak_bytes(pids: set[int]) -> int:
    """The largest resident size that each of the processes ever had, added up."""
    found = [re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()) for pid in pids]
    return sum(int(each[1]) * 1024 for each in found if each)


def family(pid: int) -> set[int]:
    """A process and its children."""
    return {pid, *(int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())}


def test_a_flood_is_held_back_and_costs_a_quiet_project_nothing(
    template: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    seconds = 120 if pytestconfig.getoption("--soak") else 4
    live = copied(template, tmp_path / "data")
    live.instance.settings |= {"UPSHOT_EVENT_RATE": str(RATE), "UPSHOT_EVENT_BURST": str(BURST)}
    live.instance.manage("shell", "-v0", "-c", _MAKE_QUIET)
    try:
        live.start_web()
        live.start_worker()
        key = live.dsn.partition("//")[2].partition("@")[0]
        flood = [Sender(live.instance.port, FLOOD, key, pause=0) for _ in range(8)]
        quiet = Sender(live.instance.port, QUIET, _QUIET_KEY, pause=0.1)
        begun = time.monotonic()
        for sender in (*flood, quiet):
            sender.start()
        heard: Counter[int] = Counter()
        try:
            eventually(
                lambda: (
                    time.monotonic() - begun > seconds
                    and quiet.statuses[200] >= 10
                    and sum(sender.statuses[429] for sender in flood)
                    > 10 * sum(sender.statuses[200] for sender in flood)
                ),
                seconds=seconds + 120,
                what="ten times more than is taken",
            )
        finally:
            for sender in (*flood, quiet):
                sender.stopping.set()
            for sender in (*flood, quiet):
                sender.join()
        lasted = time.monotonic() - begun
        for sender in flood:
            heard += sender.statuses

        assert set(heard) == {200, 429}
        assert BURST <= heard[200] <= BURST + RATE * lasted + 1
        for retry_after, limits in set().union(*(sender.told for sender in flood)):
            assert (retry_after or "").isdigit()
            assert re.fullmatch(rf"{retry_after}:error;[a-z_;]+:\w+:\w+", limits or ""), limits
        assert set(quiet.statuses) == {200}
        assert peak_bytes(family(live.children["web"].pid)) < 512 * 1024 * 1024
        assert peak_bytes({live.children["worker"].pid}) < 512 * 1024 * 1024
        live.wait_until_digested()
        stored = {event_id for (event_id,) in live.query("SELECT event_id FROM incidents_errorevent")}
        assert stored == quiet.acknowledged.union(*(sender.acknowledged for sender in flood))
        counted = "SELECT sum(quantity) FROM incidents_ingestcount WHERE outcome = 'refused:rate'"
        eventually(lambda: live.number(counted) == heard[429], seconds=30, what=json.dumps(dict(heard)))
    finally:
        live.stop()
