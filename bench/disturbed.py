"""What senders feel while something else goes on: retention deletes a million reports, or the broker is away.

    python -m bench.disturbed [--quick] [--events 1000000] [--away 60]

Events are sent at a steady pace, and each answer is timed from the instant at which its event was due, so that a server
which stalls is charged for all whom it holds up. The same is measured first with nothing in the way. `--away`: seconds for
which Redis is stopped; RELIABILITY asks for ten minutes, `--away 600`.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import pickle
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import Load, Skipped
from bench.servers import Target, Upshot, upshot
from bench.table import Goal, number
from tests.instance import eventually, free_port

PER_SECOND = 100
SENDERS = 16
SECONDS = 30.0
MOST = 2.0
"""The 99th percentile may be so many times the undisturbed one."""
DRAINED_SECONDS = 300

OLD_REPORTS = """
from django.db.models import Count
from incidents.models import ErrorEvent, Issue
from tests.incidents.test_query_plans import crowd
crowd({events})
for row in ErrorEvent.objects.values("issue").annotate(count=Count("pk")).order_by():
    Issue.objects.filter(pk=row["issue"]).update(kept_count=row["count"])
"""
"""A team with so many reports of long ago, older than they are kept."""


@dataclass(slots=True)
class Felt:
    """Milliseconds until each answer, and the answers that were no 200."""

    took: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.took)

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return statistics.quantiles(self.took, n=100)[-1]


@dataclass(slots=True)
class Sender:
    """Sends each body of a store once, in order, at a steady pace."""

    target: Target
    bodies: Sequence[bytes]
    sent: int = 0

    def send(self, seconds: float, per_second: float = PER_SECOND) -> Felt:
        """For so long. Raises RuntimeError when the bodies do not last."""
        felt, count = Felt(), int(seconds * per_second)
        if self.sent + count > len(self.bodies):
            raise RuntimeError("more bodies are needed")
        mine, self.sent = self.bodies[self.sent : self.sent + count], self.sent + count
        began = time.perf_counter() + 0.2
        threads = [
            threading.Thread(
                target=self._run, args=(felt, mine[place::SENDERS], began + place / per_second, per_second)
            )
            for place in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return felt

    def _run(self, felt: Felt, bodies: Sequence[bytes], first: float, per_second: float) -> None:
        connection = http.client.HTTPConnection(self.target.url.removeprefix("http://"), timeout=60)
        headers = {
            "Content-Encoding": "gzip", "Content-Type": "application/x-sentry-envelope",
            "X-Sentry-Auth": f"Sentry sentry_key={self.target.key}, sentry_version=7",
        }  # fmt: skip
        for turn, body in enumerate(bodies):
            due = first + turn * SENDERS / per_second
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("POST", f"/api/{self.target.project}/envelope/", body, headers)
            answer = connection.getresponse()
            answer.read()
            felt.took.append((time.perf_counter() - due) * 1_000)
            felt.refused += answer.status != 200
        connection.close()


def sender_of(load: Load, server: Upshot, name: str, count: int) -> Sender:
    """A sender with so many events of its own."""
    load.build(name, count)
    rows = pickle.loads(load.bodies(name).read_bytes())  # noqa: S301 -- written by the generator
    return Sender(server.target, [body for _, _, body in rows])


def while_deleting(load: Load, folder: Path, events: int, seconds: float) -> dict[str, float]:
    """Answers with nothing in the way, then while retention works off reports that are too old."""
    with upshot(folder / "usual") as server:
        server.serve()
        usual = sender_of(load, server, "deleting", int(2 * seconds * PER_SECOND)).send(seconds)
    with upshot(folder / "deleting") as server:
        server.instance.manage("shell", "-v0", "-c", OLD_REPORTS.format(events=events), seconds=3_600)
        before, grown = server.stored(), server.stored_bytes()
        server.serve()
        eventually(lambda: server.stored() < before, seconds=180, what="retention at work")
        begun, at = server.stored(), time.monotonic()
        felt = sender_of(load, server, "deleting", int(2 * seconds * PER_SECOND)).send(seconds)
        left, took = server.stored(), time.monotonic() - at
        server.stop()
        return {
            "usual_p50": usual.p50, "usual_p99": usual.p99, "p50": felt.p50, "p99": felt.p99, "refused": felt.refused,
            "deleted_per_s": (begun + len(felt.took) - left) / took, "growth": server.stored_bytes() / grown,
        }  # fmt: skip


@contextlib.contextmanager
def redis(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Redis of our own that may be stopped. Raises Skipped where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        raise Skipped("no redis-server on this machine")
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: _listens(port), seconds=10, what="Redis")
        yield process
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def without_broker(load: Load, folder: Path, seconds: float, away: float) -> dict[str, float]:
    """Answers with Redis there, then with Redis stopped; how long what came meanwhile took, and whether all is there."""
    port = free_port()
    pace = PER_SECOND if away <= 120 else 20
    with upshot(folder / "broker", UPSHOT_BROKER_URL=f"redis://127.0.0.1:{port}/0") as server:
        with redis(folder, port):
            server.serve()
            sender = sender_of(load, server, "broker", int((seconds * PER_SECOND) + away * pace) + 10)
            usual = sender.send(seconds)
            eventually(lambda: server.stored() >= sender.sent, seconds=120, what="everything digested")
        felt = sender.send(away, pace)
        with redis(folder, port):
            mended = time.monotonic()
            drained = server.wait_for(sender.sent - felt.refused, seconds=DRAINED_SECONDS + 60) - mended
        return {
            "usual_p50": usual.p50, "usual_p99": usual.p99, "p50": felt.p50, "p99": felt.p99, "refused": felt.refused,
            "drained_s": drained, "lost": sender.sent - felt.refused - server.stored(),
        }  # fmt: skip


def line(name: str, found: dict[str, float]) -> str:
    """One line of the table."""
    ratio = found["p99"] / found["usual_p99"]
    cells = [name, *(number(found[key]) for key in ("usual_p50", "usual_p99", "p50", "p99")), str(found["refused"])]
    rest = [
        f"{number(found[key])} {words}"
        for key, words in (("deleted_per_s", "reports deleted/s"), ("drained_s", "s until all was digested"), ("lost", "lost"))
        if key in found
    ]  # fmt: skip
    if "growth" in found:
        rest.append(f"the file grew to {found['growth']:.3f} of its size")
    cells += ["; ".join(rest), str(Goal("times the usual p99", ratio, MOST, is_most=True))]
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the reports, a third of the time")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--away", type=float, default=60.0)
    args, _ = parser.parse_known_args(arguments)
    seconds = SECONDS
    if args.quick:
        args.events, args.away, seconds = args.events // 10, min(args.away, 10.0), seconds / 3
    print(f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}; {PER_SECOND} events a second\n")
    print("| meanwhile | usual p50 ms | usual p99 ms | p50 ms | p99 ms | refused | besides | goal |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="upshot-bench-") as folder:
        load = Load.prepare(Path(folder))
        deleting = while_deleting(load, Path(folder), args.events, seconds)
        print(line(f"retention deletes {args.events:,} reports", deleting), flush=True)
        try:
            print(
                line(
                    f"the broker is away for {args.away:.0f} s", without_broker(load, Path(folder), seconds, args.away)
                )
            )
        except Skipped as reason:
            print(f"\nthe broker was not measured: {reason}")


if __name__ == "__main__":
    main(sys.argv[1:])
