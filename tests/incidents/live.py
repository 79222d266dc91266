"""A served instance with one project, for tests that send real requests to real processes."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from reliability.supervisor import web_command, worker_command
from tests.instance import ROOT, Instance, eventually, migrated_on

PROJECT = 42
KEY = "0123456789abcdef0123456789abcdef"
AUTH = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}, sentry_version=7, sentry_client=test/1"}
_MAKE_PROJECT = f"""
from deploys import clock
from deploys.models import DsnKey, Service, Team
import datetime as dt
now = clock.now() - dt.timedelta(days=7)
team = Team.objects.create(slug="shop", name="Shop", created_at=now)
service = Service.objects.create(team=team, number={PROJECT}, name="shop", created_at=now, first_event_at=now)
DsnKey.objects.create(service=service, public_key="{KEY}", created_at=now)
"""


@dataclass(slots=True)
class Live:
    """An instance whose web process and worker can be started, killed and looked into one by one."""

    instance: Instance
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@127.0.0.1:{self.instance.port}/{PROJECT}"

    def prepare(self) -> None:
        """Makes tables and the project."""
        self.instance.migrate()
        self.instance.manage("shell", "-v0", "-c", _MAKE_PROJECT)

    def start_web(self) -> None:
        self.start("web")
        self.instance.wait_until_up()

    def start_worker(self) -> None:
        self.start("worker")

    def start(self, name: str, *, failpoint: str = "", under: Sequence[str] = ()) -> None:
        """Starts the web process or the worker: with a failpoint, to die there; `under` another program, such as strace."""
        web = web_command(host="127.0.0.1", port=self.instance.port, processes=1)
        environment = self.instance.environment | ({"UPSHOT_FAILPOINT": failpoint} if failpoint else {})
        with (self.instance.data / "output.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                [*under, *(web if name == "web" else worker_command(threads=2))],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def died(self, name: str, seconds: float = 60) -> bool:
        """Waits until a process has ended, and tells whether it was killed, as at a failpoint, and did not end of a fault.

        The web process is granian's, which ends when the process under it was killed, and says no more than that.
        """
        eventually(
            lambda: self.children[name].poll() is not None,
            seconds=seconds,
            what=f"the death of the {name}; the instance said: {self.instance.output()[-2000:]}",
        )
        if name == "web":
            return "Unexpected exit from worker" in self.instance.output()
        return self.children[name].returncode == -signal.SIGKILL

    def kill(self, name: str) -> None:
        """SIGKILL for the process and everything it started."""
        child = self.children.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def stop(self) -> None:
        """Kills whatever runs."""
        for name in list(self.children):
            self.kill(name)

    def query(self, sql: str, *, inbox: bool = False) -> list[tuple[Any, ...]]:
        """Rows of the database, read past the application."""
        url = self.instance.settings.get("UPSHOT_DATABASE_URL")
        if url:
            with psycopg.connect(url, autocommit=True) as connection:
                return list(connection.execute(sql.encode()))
        name = "inbox.sqlite3" if inbox else "upshot.sqlite3"
        with contextlib.closing(sqlite3.connect(self.instance.data / name, timeout=30)) as database:
            return list(database.execute(sql))

    def number(self, sql: str, *, inbox: bool = False) -> int:
        """The one number a query tells."""
        return int(self.query(sql, inbox=inbox)[0][0] or 0)

    def integrity(self) -> list[str]:
        """What SQLite says of its files; nothing on PostgreSQL."""
        if "UPSHOT_DATABASE_URL" in self.instance.settings:
            return []
        rows = [*self.query("PRAGMA integrity_check"), *self.query("PRAGMA integrity_check", inbox=True)]
        return [str(line) for (line,) in rows]

    def wait_until_digested(self, seconds: float = 60) -> None:
        """Returns when the inbox is empty."""
        eventually(
            lambda: not self.number("SELECT count(*) FROM incidents_inboxitem", inbox=True),
            seconds=seconds,
            what=f"an empty inbox; the instance said: {self.instance.output()[-2000:]}",
        )

    def post(
        self, path: str, body: bytes, headers: dict[str, str] | None = None, *, is_chunked: bool = False
    ) -> tuple[int, bytes]:
        """One POST; status and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=30)
        with contextlib.closing(connection):
            sent = iter([body[:100], body[100:]]) if is_chunked else body
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before it was sent to the end
                connection.request("POST", path, body=sent, headers=headers or AUTH, encode_chunked=is_chunked)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """One GET; status, headers and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, {name.title(): value for name, value in answer.getheaders()}, answer.read()

    def post_at_once(
        self, bodies: Sequence[bytes], *, threads: int, project: int = PROJECT, headers: dict[str, str] | None = None
    ) -> list[tuple[int, bytes]]:
        """Many envelopes, from several threads; the answers in the order of the bodies."""
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda body: self.post(f"/api/{project}/envelope/", body, headers), bodies))


def counters(live: Live) -> dict[str, tuple[int, int]]:
    """Every counter beside the number of rows it counts."""
    rows = live.number("SELECT count(*) FROM incidents_errorevent")
    return {
        "issues' events": (live.number("SELECT sum(events_count) FROM incidents_issue"), rows),
        "five minutes' events": (live.number("SELECT sum(count) FROM incidents_issuecount"), rows),
        "outcomes": (
            live.number("SELECT sum(quantity) FROM incidents_ingestcount WHERE item='event' AND outcome='stored'"),
            rows,
        ),
        "issues' users": (
            live.number("SELECT sum(users_count) FROM incidents_issue"),
            live.number("SELECT count(*) FROM incidents_issueuser"),
        ),
    }


@contextlib.contextmanager
def prepared(data: Path, **settings: str) -> Iterator[Live]:
    """An instance with its project and nothing running; everything started on it ends with it."""
    data.mkdir(parents=True, exist_ok=True)
    live = Live(Instance(data=data, settings=settings))
    try:
        live.prepare()
        yield live
    finally:
        live.stop()


def copied(template: Path, data: Path) -> Live:
    """An instance that starts from another's files: much quicker than making the tables again."""
    shutil.copytree(template, data)
    return Live(Instance(data=data))


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL database with empty tables, gone afterwards. OSError-like errors where there is no server."""
    name = f"upshot_live_{os.getpid()}_{os.urandom(4).hex()}"
    chosen = os.environ.get("CI_POSTGRES_URL") or os.environ.get("UPSHOT_DATABASE_URL")
    server = chosen or "postgres://root@127.0.0.1:5432/postgres"
    base = server.rsplit("/", 1)[0]
    template = migrated_on(base)
    with psycopg.connect(f"{base}/postgres", autocommit=True, connect_timeout=3) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    try:
        yield f"{base}/{name}"
    finally:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


PYTHON = sys.executable
