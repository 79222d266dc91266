"""Ingest, measured: ours beside a do-nothing endpoint, beside the plainest group commit, beside Bugsink, in one run.

    python -m bench.ingest [--quick] [--json FILE] [--skip-bugsink]

Prints the tables of docs/measurements/ingest.md. Absolute figures depend on the machine and on what else runs there; the
ratios depend on it less. Takes about eight minutes, `--quick` less than two.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import pickle
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import Load, Skipped
from bench.servers import Running, Upshot, bugsink, ceiling, start_snappea, upshot
from bench.table import Goal, Row, show

MEBIBYTE = 1024 * 1024
CONNECTIONS = (1, 8, 64)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many events each part sends."""

    accept: tuple[int, int, int] = (2_000, 6_000, 12_000)
    backlogs: tuple[int, ...] = (5_000, 20_000, 40_000)
    together: int = 20_000
    probes: int = 60
    peer_accept: tuple[int, int, int] = (300, 600, 1_000)
    peer_backlog: int = 1_200


QUICK = Sizes((300, 1_000, 2_000), (1_000, 4_000), 4_000, 20, (100, 200, 300), 200)


def accept(load: Load, server: Running, sizes: Sequence[int], bodies: str) -> dict[str, Any]:
    """Acknowledged events per second and milliseconds until the answer, by the number of connections."""
    found = {}
    for connections, count in zip(CONNECTIONS, sizes, strict=True):
        sent = load.send(server.target, name=f"{bodies}-{connections}", count=count, connections=connections)
        found[f"c={connections}"] = {name: sent[name] for name in ("events_per_s", "p50_ms", "p99_ms")}
    return found


def drain(server: Running, count: int, *, already: int = 0) -> dict[str, float]:
    """Events digested per second, from the first that is seen until all are; and the whole group's memory meanwhile."""
    group = server.group
    group.sample()
    begun = server.wait_for(already + 1)
    first, cpu = server.stored(), group.cpu()
    ended = server.wait_for(already + count)
    used = group.cpu() - cpu
    peak = group.close()
    fresh = max(1, already + count - first)
    return {"events_per_s": fresh / (ended - begun), "cpu_ms": used / fresh * 1_000, "peak_mb": peak / MEBIBYTE}


def our_accept(load: Load, folder: Path, sizes: Sizes) -> dict[str, Any]:
    """The web process with nobody digesting, then with the worker at it."""
    with upshot(folder / "accept") as server:
        server.serve("web")
        idle = accept(load, server, sizes.accept, "idle")
        server.serve("worker")
        server.wait_for(1)
        busy = accept(load, server, sizes.accept, "busy")
        left = int(Running.query(_inbox(server), "SELECT count(*) FROM incidents_inboxitem")[0][0])
    return {"idle": idle, "busy": busy, "left_when_loaded": left}


def _inbox(server: Upshot) -> Running:
    return Running(server.folder, server.target, "", server.folder / "inbox.sqlite3")


def our_backlogs(load: Load, folder: Path, sizes: Sizes) -> dict[str, Any]:
    """A backlog of each size, loaded while no worker runs, then digested by the whole instance."""
    found = {}
    for number, name in enumerate(_pieces(max(sizes.backlogs))):
        load.build(name, min(20_000, max(sizes.backlogs) - number * 20_000))
    for count in sizes.backlogs:
        with upshot(folder / f"backlog-{count}") as server:
            server.serve("web")
            for start, name in enumerate(_pieces(count)):
                load.send(server.target, name=name, count=min(20_000, count - start * 20_000), connections=64)
            server.stop()
            server.serve()
            found[str(count)] = drain(server, count)
    return found


def _pieces(count: int) -> list[str]:
    return [f"backlog-{number}" for number in range((count + 19_999) // 20_000)]


def our_day(load: Load, folder: Path, sizes: Sizes) -> dict[str, Any]:
    """One whole instance: its memory idle, a burst until all of it can be queried, single events, its size."""
    with upshot(folder / "together") as server:
        empty = server.stored_bytes()
        server.serve()
        time.sleep(3)
        group = server.group
        found: dict[str, Any] = {"idle_mb": group.pss() / MEBIBYTE}
        load.build("together", sizes.together)
        found |= together(load, server, sizes.together)
        time.sleep(12)
        found["after_mb"] = group.pss() / MEBIBYTE
        found["parts_mb"] = {name: round(size / MEBIBYTE) for name, size in group.parts().items()}
        found["queryable"] = queryable(load, server, sizes.probes)
        server.stop()
        found["bytes_per_event"] = (server.stored_bytes() - empty) / (sizes.together + sizes.probes)
    return found


def together(load: Load, server: Running, count: int) -> dict[str, float]:
    """Accepting and digesting at once: events per second from the first request until all can be queried."""
    load.build("together", count)
    group, already = server.group, server.stored()
    group.sample()
    cpu, begun = group.cpu(), time.monotonic()
    sent = load.send(server.target, name="together", count=count, connections=64)
    reading = time.monotonic() - begun - sent["seconds"]  # the generator reads its bodies before it sends them
    ended = server.wait_for(already + count)
    return {
        "events_per_s": count / (ended - begun - reading),
        "cpu_ms": (group.cpu() - cpu) / count * 1_000,
        "peak_mb": group.close() / MEBIBYTE,
    }


def queryable(load: Load, server: Running, count: int) -> dict[str, float]:
    """Milliseconds from the answer to one event until it can be queried, on an idle instance."""
    load.build("probe", count)
    bodies = pickle.loads(load.bodies("probe").read_bytes())  # noqa: S301 -- written by the generator above
    connection = http.client.HTTPConnection(server.target.url.removeprefix("http://"))
    headers = {
        "Content-Encoding": "gzip", "Content-Type": "application/x-sentry-envelope",
        "X-Sentry-Auth": f"Sentry sentry_key={server.target.key}, sentry_version=7",
    }  # fmt: skip
    waits = []
    for number, (event, _, body) in enumerate(bodies):
        time.sleep(0.15 + number % 7 * 0.05)  # no rhythm that a poll could fall in step with
        connection.request("POST", f"/api/{server.target.project}/envelope/", body, headers)
        answer = connection.getresponse()
        answer.read()
        acknowledged = time.monotonic()
        if answer.status != 200:
            raise RuntimeError(f"an event was answered {answer.status}")
        while not server.query(
            "SELECT 1 FROM incidents_errorevent WHERE event_id = ? AND service_id IS NOT NULL", _id(event)
        ):
            time.sleep(0.002)
        waits.append((time.monotonic() - acknowledged) * 1_000)
    connection.close()
    return {"p50_ms": statistics.median(waits), "p95_ms": statistics.quantiles(waits, n=20)[-1]}


def _id(event: str) -> str:
    return event.replace("-", "")


def ceilings(load: Load, folder: Path, sizes: Sizes) -> dict[str, Any]:
    """The same requests against the two endpoints that do nothing else."""
    found = {}
    for name in ("raw", "commit"):
        with ceiling(folder / name, name) as server:
            found[name] = accept(load, server, sizes.accept, "idle")
    return found


def peer(load: Load, folder: Path, sizes: Sizes) -> dict[str, Any]:
    """Bugsink with its digester running; then a backlog by itself."""
    with bugsink(folder / "bugsink") as server:
        empty = server.database.stat().st_size if isinstance(server.database, Path) else 0
        start_snappea(server)
        time.sleep(4)
        found: dict[str, Any] = {"idle_mb": server.group.pss() / MEBIBYTE}
        busy = accept(load, server, sizes.peer_accept, "idle")
        server.wait_for(sum(sizes.peer_accept))
        found["busy"] = busy
        found["together"] = together(load, server, sizes.peer_backlog)
        already = server.stored()
        server.stop("snappea")
        load.send(server.target, name="backlog-0", count=sizes.peer_backlog, connections=8)
        start_snappea(server)
        found["drain"] = drain(server, sizes.peer_backlog, already=already)
        server.stop()
        found["bytes_per_event"] = (server.stored_bytes() - empty) / server.stored()
    return found


def measure(load: Load, folder: Path, sizes: Sizes, *, with_peer: bool) -> dict[str, Any]:
    """All parts. What cannot be had is left out, with the reason under `skipped`."""
    found: dict[str, Any] = {"cpus": os.cpu_count(), "load_before": os.getloadavg()[0], "skipped": {}}
    steps = [("ceilings", ceilings), ("accept", our_accept), ("together", our_day), ("backlogs", our_backlogs)]
    for name, step in [*steps, *([("bugsink", peer)] if with_peer else [])]:
        begun = time.monotonic()
        try:
            found[name] = step(load, folder, sizes)
        except Skipped as reason:
            found["skipped"][name] = str(reason)
        print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
    found["load_after"] = os.getloadavg()[0]
    return found


def rows(found: dict[str, Any]) -> list[Row]:
    """The figures with their goals."""
    ours, day, raw = found["accept"], found["together"], found["ceilings"]
    peer = found.get("bugsink")
    table: list[Row] = []
    for state, label in (("busy", "digest running"), ("idle", "digest idle")):
        for connections in CONNECTIONS:
            key = f"c={connections}"
            mine, theirs = ours[state][key], peer["busy"][key] if peer and state == "busy" else None
            limit = raw["commit"][key]
            rate = mine["events_per_s"]
            goals: list[Goal] = []
            if connections == 64:
                goals = (
                    [Goal("x Bugsink", theirs and rate / theirs["events_per_s"], 7, 12)]
                    if state == "busy"
                    else [Goal("of the group commit", rate / limit["events_per_s"], 0.6, 0.8)]
                )
            table.append(Row(
                f"acknowledged/s, {key}, {label}", rate, theirs and theirs["events_per_s"], limit["events_per_s"],
                raw["raw"][key]["events_per_s"], goals,
            ))  # fmt: skip
            part = {8: 1 / 4, 64: 1 / 5}.get(connections)
            goals = (
                [Goal("of Bugsink", theirs and mine["p99_ms"] / theirs["p99_ms"], part, None, is_most=True)]
                if part and state == "busy"
                else []
            )
            table.append(Row(
                f"p99 in ms, {key}, {label}", mine["p99_ms"], theirs and theirs["p99_ms"], limit["p99_ms"], raw["raw"][key]["p99_ms"], goals,
            ))  # fmt: skip
            table.append(Row(
                f"p50 in ms, {key}, {label}", mine["p50_ms"], theirs and theirs["p50_ms"], limit["p50_ms"], raw["raw"][key]["p50_ms"],
            ))  # fmt: skip
    for count, one in found["backlogs"].items():
        theirs = peer and peer["drain"]["events_per_s"]
        is_goal = count == "20000" or count == max(found["backlogs"], key=int)
        ratio = theirs and one["events_per_s"] / theirs
        table.append(Row(
            f"digested/s, backlog of {int(count):,}", one["events_per_s"], theirs, goals=[Goal("x Bugsink", ratio, 8, 15)] if is_goal else [],
        ))  # fmt: skip
        table.append(Row(
            f"peak memory in MB, backlog of {int(count):,}", one["peak_mb"], peer and peer["drain"]["peak_mb"],
            goals=[Goal("MB", one["peak_mb"], 220, 180, is_most=True)],
        ))  # fmt: skip
    mine, theirs = day["events_per_s"], peer and peer["together"]["events_per_s"]
    table += [
        Row("accepted and digested/s, until all can be queried", mine, theirs, goals=[Goal("x Bugsink", theirs and mine / theirs, 8, 14)]),
        Row("processor ms per event, whole group", day["cpu_ms"], peer and peer["together"]["cpu_ms"],
            goals=[Goal("ms", day["cpu_ms"], 3, 2, is_most=True)]),
        Row("memory in MB, idle", day["idle_mb"], peer and peer["idle_mb"]),
        Row("memory in MB, peak of the burst", day["peak_mb"], peer and peer["together"]["peak_mb"],
            goals=[Goal("MB", day["peak_mb"], 220, 180, is_most=True)]),
        Row("memory in MB, 12 s after the burst", day["after_mb"]),
        Row("database bytes per event, with indexes", day["bytes_per_event"], peer and peer["bytes_per_event"],
            goals=[Goal("bytes", day["bytes_per_event"], 7_000, 5_500, is_most=True)]),
        Row("ms from answer to queryable, idle, p50", day["queryable"]["p50_ms"]),
        Row("ms from answer to queryable, idle, p95", day["queryable"]["p95_ms"],
            goals=[Goal("ms", day["queryable"]["p95_ms"], 1_000, 500, is_most=True)]),
    ]  # fmt: skip
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the events")
    parser.add_argument("--skip-bugsink", action="store_true")
    parser.add_argument("--json", type=Path, default=Path("var/bench-ingest.json"), help="where the result goes")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="upshot-bench-") as scratch, contextlib.suppress(KeyboardInterrupt):
        try:
            load = Load.prepare(Path(scratch))
        except Skipped as reason:
            print(f"ingest is not measured: {reason}")
            return
        found = measure(load, Path(scratch), QUICK if args.quick else Sizes(), with_peer=not args.skip_bugsink)
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1))
        print(
            f"\n{found['cpus']} processors, load average {found['load_before']:.1f} before and {found['load_after']:.1f} after\n"
        )
        print(show(rows(found)))
        for name, reason in found["skipped"].items():
            print(f"\nnot measured: {name}: {reason}")


if __name__ == "__main__":
    main()
