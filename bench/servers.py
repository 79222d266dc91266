"""The servers that are measured, started as their documentation says and always ended."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench.load import ROOT, Target, environment
from bench.processes import Group, tree
from tests.instance import Instance, eventually, free_port

_BUGSINK_QUOTAS = """
BUGSINK["PHONEHOME"] = False
BUGSINK |= {f"MAX_EVENTS_PER_{each}": 10**9 for each in
            ("5_MINUTES", "HOUR", "MONTH", "PROJECT_PER_5_MINUTES", "PROJECT_PER_HOUR", "PROJECT_PER_MONTH")}
"""
_BUGSINK_PROJECT = """
from projects.models import Project
from teams.models import Team
print("KEY", Project.objects.create(name="bench", team=Team.objects.create(name="bench")).sentry_key.hex)
"""


@dataclass(slots=True)
class Running:
    """A server in its folder: processes by role, and how to count what it has stored."""

    folder: Path
    target: Target
    count_sql: str
    database: Path | str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, role: str, command: Sequence[str | Path], *, env: dict[str, str], cwd: Path) -> None:
        """Starts a process; what it says goes to <folder>/<role>.log."""
        with (self.folder / f"{role}.log").open("ab") as log:
            self.processes[role] = subprocess.Popen(
                [str(each) for each in command], cwd=cwd, env=env, stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, *roles: str) -> None:
        """Ends these processes and all they started; every one when none is named."""
        for role in roles or tuple(self.processes):
            process = self.processes.pop(role)
            family = tree(process.pid)
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()

    @property
    def group(self) -> Group:
        """All its processes."""
        return Group([process.pid for process in self.processes.values()])

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows, read past the application."""
        if isinstance(self.database, str):
            with psycopg.connect(self.database, autocommit=True) as connection:
                return connection.execute(sql.replace("?", "%s"), values).fetchall()
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(sql, values).fetchall()

    def stored(self) -> int:
        """Events that can be queried."""
        return int(self.query(self.count_sql)[0][0] or 0)

    def wait_for(self, count: int, *, seconds: float = 600) -> float:
        """Waits until so many events can be queried; the monotonic instant."""
        deadline = time.monotonic() + seconds
        while self.stored() < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {self.stored()} of {count} events after {seconds:.0f} s; see {self.folder}")
            time.sleep(0.05)
        return time.monotonic()

    def stored_bytes(self) -> int:
        """Bytes of the database, its log folded in (SQLite: nobody may be using it)."""
        if isinstance(self.database, str):
            return int(self.query("SELECT pg_database_size(current_database())")[0][0])
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.database.stat().st_size


@dataclass(slots=True)
class Upshot(Running):
    """Ours. Roles: `serve`, `web`, and `worker` followed by anything."""

    instance: Instance = field(default_factory=lambda: Instance(Path()))

    def serve(self, role: str = "serve") -> None:
        """Starts `manage.py serve`, or one half of it, and waits until it answers."""
        half = {"web": ["--web-only"], "serve": []}.get(role, ["--worker-only"])
        self.start(role, [_our_python(), "manage.py", "serve", *half], env=self.instance.environment, cwd=ROOT)
        if role in ("web", "serve"):
            self.instance.wait_until_up()


def _our_python() -> Path:
    """The interpreter of an environment as `make install` makes it: libraries of the tests would be imported where they
    are found, and counted as our memory.
    """
    lock = ROOT / "requirements.txt"
    version = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    return environment(f"upshot-{version}", ["--require-hashes", "-r", str(lock)]) / "bin" / "python"


@contextlib.contextmanager
def upshot(folder: Path, **settings: str) -> Iterator[Upshot]:
    """An instance on SQLite with one service; nothing runs yet. Migrated once, then copied from beside `folder`."""
    template = folder.parent / "migrated"
    if not template.exists():
        template.mkdir(parents=True)
        made = Instance(data=template)
        made.migrate()
        (template / "made.json").write_text(json.dumps(made.provision("bench/bench")))
    shutil.copytree(template, folder)
    instance = Instance(data=folder, settings=settings)
    server = Upshot(
        folder=folder,
        target=target_of(instance, json.loads((folder / "made.json").read_text())),
        count_sql="SELECT count(*) FROM incidents_errorevent",
        database=folder / "upshot.sqlite3",
        instance=instance,
    )
    try:
        yield server
    finally:
        server.stop()


def target_of(instance: Instance, made: dict[str, Any]) -> Target:
    """Where a provisioned service is sent to."""
    dsn = urlsplit(made["dsn"])
    return Target(instance.url, str(dsn.username), int(dsn.path.strip("/")))


@contextlib.contextmanager
def ceiling(folder: Path, name: str) -> Iterator[Running]:
    """One of the endpoints of `bench.ceiling`, under granian as ours is."""
    folder.mkdir(parents=True)
    port = free_port()
    server = Running(folder, Target(f"http://127.0.0.1:{port}"), "", folder / "inbox.sqlite3")
    server.start(
        "web",
        [
            _our_python(), "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
            "--no-ws", "--backlog", "1024", "--log-level", "warning", f"bench.ceiling:{name}",
        ],
        env={**os.environ, "CEILING_FILE": str(folder / "inbox.sqlite3")}, cwd=ROOT,
    )  # fmt: skip
    try:
        eventually(lambda: _answers(port), seconds=30, what="the ceiling endpoint")
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def bugsink(folder: Path) -> Iterator[Running]:
    """Bugsink from PyPI, its single-server configuration: gunicorn as its container runs it, snappea, SQLite.

    Its own quotas (1,000 events in five minutes) are raised out of the way. Raises Skipped where it cannot be installed.
    """
    programs, env = _bugsink_programs(), _foreign_environment()
    folder.mkdir(parents=True)
    port = free_port()

    def run(*command: str, text: str = "") -> str:
        done = subprocess.run(
            [str(programs / command[0]), *command[1:]], cwd=folder, input=text, capture_output=True, text=True, check=False, env=env
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr[-500:]}")
        return done.stdout

    run("bugsink-create-conf", "--template=singleserver", "--host=127.0.0.1", f"--port={port}", f"--base-dir={folder}")
    with (folder / "bugsink_conf.py").open("a") as file:
        file.write(_BUGSINK_QUOTAS)
    run("bugsink-manage", "migrate", "-v0")
    run("bugsink-manage", "migrate", "snappea", "--database=snappea", "-v0")
    key = run("bugsink-manage", "shell", text=_BUGSINK_PROJECT).split("KEY ")[1].split()[0]
    server = Running(
        folder, Target(f"http://127.0.0.1:{port}", key), "SELECT count(*) FROM events_event", folder / "db.sqlite3"
    )
    conf = next((programs.parent / "lib").glob("python*/site-packages/bugsink/gunicorn.docker.conf.py"))
    server.start(
        "web",
        [programs / "gunicorn", f"--config={conf}", f"--bind=127.0.0.1:{port}", "--timeout=60", "--log-level=warning", "bugsink.wsgi"],
        env=env, cwd=folder,
    )  # fmt: skip
    try:
        eventually(lambda: _answers(port), seconds=60, what="Bugsink")
        yield server
    finally:
        server.stop()


def start_snappea(server: Running) -> None:
    """Bugsink's digester; its role is `snappea`."""
    server.start("snappea", [_bugsink_programs() / "bugsink-runsnappea"], env=_foreign_environment(), cwd=server.folder)


def _bugsink_programs() -> Path:
    return environment("bugsink", ["bugsink"]) / "bin"


def _foreign_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTHONPATH"))}


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
