"""Scaling out, measured: PostgreSQL, one and two web processes, and 1, 2 and 4 workers on each broker.

    python -m bench.scale [--quick] [--json FILE]

Digests a backlog that lies in the inbox before any worker runs: once of one service, where workers meet on the same
issues, once of eight. Workers, database, broker and this program share the machine's processors: with two of those, two
workers are the most that can show a gain, and the lines for four show what crowding costs. Needs PostgreSQL
(UPSHOT_BENCH_POSTGRES, the address of a server's maintenance database); brokers that do not answer are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench.ingest import MEBIBYTE, drain
from bench.load import Load, Skipped
from bench.servers import Upshot, target_of
from bench.table import number
from tests.instance import Instance

POSTGRES = os.environ.get("UPSHOT_BENCH_POSTGRES", "postgres://root@127.0.0.1:5432/postgres")
BROKERS = {"file system": "", "redis": "redis://127.0.0.1:6379/8", "rabbitmq": "amqp://guest:guest@127.0.0.1:5672//"}
WORKERS = (1, 2, 4)
SERVICES = (1, 8)
WEB_PROCESSES = (1, 2)
_TEMPLATE = "upshot_bench_template"


@contextlib.contextmanager
def on_postgresql(folder: Path, services: int, **settings: str) -> Iterator[Upshot]:
    """An instance with a database of its own, gone afterwards, copied from one that was migrated once."""
    made_file = folder.parent / "made.json"
    base = urlsplit(POSTGRES)
    if not made_file.exists():
        _sql(f"DROP DATABASE IF EXISTS {_TEMPLATE}", f"CREATE DATABASE {_TEMPLATE}")
        template = folder.parent / "template"
        template.mkdir()
        instance = Instance(template, {"UPSHOT_DATABASE_URL": base._replace(path=f"/{_TEMPLATE}").geturl()})
        instance.migrate()
        made_file.write_text(json.dumps([instance.provision(f"bench/bench-{each}") for each in range(max(SERVICES))]))
    name = f"upshot_bench_{os.getpid()}"
    _sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    folder.mkdir()
    url = base._replace(path=f"/{name}").geturl()
    instance = Instance(folder, {"UPSHOT_DATABASE_URL": url} | settings)
    targets = [target_of(instance, made) for made in json.loads(made_file.read_text())[:services]]
    server = Upshot(folder, targets[0], "SELECT count(*) FROM incidents_errorevent", url, instance=instance)
    try:
        yield server
    finally:
        server.stop()
        _sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _sql(*statements: str) -> None:
    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as connection:
            for statement in statements:
                connection.execute(statement.encode())
    except psycopg.OperationalError as error:
        raise Skipped(f"no PostgreSQL: {error}") from error


def fill(server: Upshot, bodies: Path, count: int, services: int) -> None:
    """Puts bodies into the inbox as the web process would, in turn for each service."""
    found = pickle.loads(bodies.read_bytes())[:count]  # noqa: S301 -- written by the generator
    with psycopg.connect(str(server.database)) as connection:
        numbers = [
            row[0] for row in connection.execute("SELECT number FROM deploys_service ORDER BY number").fetchall()
        ]
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO incidents_inboxitem (project, kind, encoding, event_id, body, received_at, attempts) "
                "VALUES (%s, 'envelope', 'gzip', %s, %s, now(), 0)",
                [(numbers[each % services], event, body) for each, (event, _, body) in enumerate(found)],
            )


def digesting(load: Load, folder: Path, count: int) -> list[dict[str, Any]]:
    """Rates by broker, services and workers."""
    lines = []
    load.build("scale", count)
    for broker, url in BROKERS.items():
        if not _listens(url):
            continue
        for services in SERVICES:
            for workers in WORKERS:
                settings = {"UPSHOT_BROKER_URL": url} if url else {}
                with on_postgresql(
                    folder / f"{broker}-{services}-{workers}".replace(" ", "-"), services, **settings
                ) as server:
                    fill(server, load.bodies("scale"), count, services)
                    for each in range(workers):
                        server.serve(f"worker {each}")
                    found = drain(server, count)
                line = {"broker": broker, "services": services, "workers": workers, "load": os.getloadavg()[0], **found}
                print(line, flush=True)
                lines.append(line)
    return lines


def accepting(load: Load, folder: Path, count: int) -> list[dict[str, Any]]:
    """Acknowledged per second with 64 connections, nobody digesting, by web processes."""
    lines = []
    for processes in WEB_PROCESSES:
        with on_postgresql(folder / f"web-{processes}", 1, UPSHOT_WEB_PROCESSES=str(processes)) as server:
            server.serve("web")
            sent = load.send(server.target, name="scale", count=count, connections=64)
            memory = server.group.pss() / MEBIBYTE
        lines.append(
            {
                "processes": processes,
                "load": os.getloadavg()[0],
                "mb": memory,
                **{each: sent[each] for each in ("events_per_s", "p50_ms", "p99_ms")},
            }
        )
    return lines


def _listens(url: str) -> bool:
    if not url:
        return True
    address = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((str(address.hostname), int(address.port or 0))) == 0


def show(found: dict[str, Any]) -> str:
    """Both tables of docs/scaling.md."""
    lines = [
        "| web processes | acknowledged/s, 64 connections | p50 ms | p99 ms | memory MB |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in found["accept"]:
        cells = (each["processes"], *(number(each[name]) for name in ("events_per_s", "p50_ms", "p99_ms", "mb")))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += [
        "",
        "| broker | services | " + " | ".join(f"{each} workers" for each in WORKERS) + " | ms each, 1 worker |",
    ]
    lines.append("| --- | ---: |" + " ---: |" * (len(WORKERS) + 1))
    for broker in BROKERS:
        for services in SERVICES:
            rates = {
                one["workers"]: one for one in found["digest"] if (one["broker"], one["services"]) == (broker, services)
            }
            if rates:
                cells = [
                    broker,
                    str(services),
                    *(f"{number(rates[each]['events_per_s'])}/s" for each in WORKERS),
                    number(rates[1]["cpu_ms"]),
                ]
                lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, default=Path("var/bench-scale.json"), help="where the result goes")
    args = parser.parse_args(arguments)
    count = 1_000 if args.quick else 8_000
    with tempfile.TemporaryDirectory(prefix="upshot-bench-") as scratch:
        folder = Path(scratch)
        try:
            load = Load.prepare(folder)
            found: dict[str, Any] = {"cpus": os.cpu_count(), "digest": digesting(load, folder, count)}
            found["accept"] = accepting(load, folder, count)
        except Skipped as reason:
            print(f"scaling is not measured: {reason}")
            return
        finally:
            with contextlib.suppress(Skipped):
                _sql(f"DROP DATABASE IF EXISTS {_TEMPLATE} WITH (FORCE)")
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(found, indent=1))
    print(
        f"\n{found['cpus']} processors; load average {min(one['load'] for one in found['digest']):.1f} to {max(one['load'] for one in found['digest']):.1f}\n"
    )
    print(show(found))


if __name__ == "__main__":
    main()
