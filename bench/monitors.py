"""A thousand HTTP monitors, each asked once a minute by one worker: what that costs in processor time, and is every one on time.

`python -m bench.monitors` makes an instance on SQLite in a temporary folder with 1,000 monitors of a loopback server in a
process of its own, runs the worker alone for two minutes of the real schedule after a minute to settle, and prints what its
process took. `--targets`, `--minutes` and `--down` (a share of targets that answer 503) say otherwise; `--settings
NAME=VALUE` goes to the instance.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.servers import Upshot, upshot
from bench.table import Goal
from tests.instance import ROOT, eventually, free_port

TARGETS = 1_000
PER_SERVICE = 5
PERIOD = 60
#: A core's share that one worker may take.
MOST_PERCENT = 30.0
MAKE = """
import datetime as dt
from deploys import clock
from deploys.actions.catalog import make_service
from deploys.models import Team
from incidents.actions.monitors import add_monitor
from incidents.models import Monitor
team, now = Team.objects.get(slug="bench"), clock.now()
for number in range({targets}):
    if number % {per_service} == 0:
        service = make_service(team=team, name=f"service-{{number // {per_service}}}", now=now)
    add_monitor(service=service, url=f"http://127.0.0.1:{port}/{{number}}", period_seconds={period}, now=now)
"""


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, down: int) -> None:
    """One request: 200, or 503 for the first `down` targets."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError, IndexError):
        head = await reader.readuntil(b"\r\n\r\n")
        status = b"503 Unavailable" if int(head.split()[1].strip(b"/")) < down else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
    writer.close()


async def serve(port: int, down: int) -> None:
    """The targets, until the process is ended."""
    server = await asyncio.start_server(
        lambda reader, writer: answer(reader, writer, down), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


@contextlib.contextmanager
def targets(down: int) -> Iterator[int]:
    """The port of the targets, in a process of their own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.monitors", "--serve", str(port), "--down", str(down)], cwd=ROOT
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def counted(server: Upshot) -> tuple[int, int]:
    """Checks in all, and monitors that were asked at least once."""
    sql = "SELECT count(*), count(DISTINCT source) FROM incidents_check"
    checks, sources = server.query(sql)[0]
    return int(checks), int(sources)


def lateness(server: Upshot, since: float) -> tuple[float, float]:
    """Of all checks after an instant of the epoch: the longest time between two of one monitor, and the longest probe, in s."""
    rows = server.query(
        "SELECT source, (julianday(at) - 2440587.5) * 86400, latency_ms FROM incidents_check ORDER BY source, at"
    )
    longest, slowest, last = 0.0, 0.0, ("", 0.0)
    for source, at, latency in rows:
        if at >= since:
            slowest = max(slowest, (latency or 0.0) / 1000)
            if last[0] == source:
                longest = max(longest, at - last[1])
        last = (source, at)
    return longest, slowest


def measure(server: Upshot, count: int, minutes: float) -> list[str]:
    """Rows of the table."""
    server.serve("worker")
    eventually(lambda: counted(server)[1] >= count, seconds=300, what=f"a first check of {count} monitors")
    time.sleep(PERIOD / 2)  # what begins with the process is over
    group, since = server.group, time.time()
    before, spent, begun = counted(server)[0], group.cpu(), time.monotonic()
    time.sleep(60 * minutes)
    spent, took, made = group.cpu() - spent, time.monotonic() - begun, counted(server)[0] - before
    longest, slowest = lateness(server, since)
    percent, rate = 100 * spent / took, 60 * made / took
    return [
        f"| checks a minute | {Goal('a minute', rate, 0.95 * count * 60 / PERIOD)} |",
        f"| processor time of the worker, s a minute | {60 * spent / took:.2f} |",
        f"| share of a core | {Goal('%', percent, MOST_PERCENT, is_most=True)} |",
        f"| processor time of one check, everything in it, ms | {1000 * spent / max(1, made):.2f} |",
        f"| longest time between two checks of one monitor, s | {longest:.1f} |",
        f"| longest answer, s | {slowest:.2f} |",
        f"| memory, MB | {group.pss() / 1e6:.0f} |",
        f"| load average | {os.getloadavg()[0]:.1f} |",
    ]


def main(arguments: list[str]) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="bench.monitors")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--targets", type=int, default=TARGETS)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--down", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="half a minute")
    parser.add_argument("--settings", nargs="*", default=[])
    chosen, _ = parser.parse_known_args(arguments)
    if chosen.serve:
        asyncio.run(serve(chosen.serve, chosen.down))
        return
    settings = dict(each.split("=", 1) for each in chosen.settings)
    with (
        tempfile.TemporaryDirectory() as folder,
        targets(chosen.down) as port,
        upshot(Path(folder) / "upshot", **settings) as server,
    ):
        server.instance.manage(
            "shell", "-v0", "-c",
            MAKE.format(targets=chosen.targets, per_service=PER_SERVICE, port=port, period=PERIOD),
        )  # fmt: skip
        print("| figure | measured |\n| --- | --- |")
        for line in measure(server, chosen.targets, 0.5 if chosen.quick else chosen.minutes):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
