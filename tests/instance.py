"""A real instance in processes of its own, for tests that need one."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg

ROOT = Path(__file__).resolve().parent.parent
T = TypeVar("T")


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """The first true answer of `look`, asked ten times a second; fails, naming `what`, when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        threading.Event().wait(0.1)


@dataclass(slots=True)
class Instance:
    """One Upshot with its own data directory and port; SQLite and the file-system broker unless `settings` say otherwise."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes see: nothing of the test run's own settings."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("UPSHOT_", "COV_", "PYTEST_"))
        }
        return kept | {
            "UPSHOT_DATA_DIR": str(self.data), "PORT": str(self.port), "UPSHOT_TESTING": "1", "UPSHOT_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "reliability.settings", **self.settings,
        }  # fmt: skip

    def manage(self, *arguments: str, seconds: float = 120) -> str:
        """Runs a management command; its standard output. AssertionError with its standard error when it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, (
            f"manage.py {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}"
        )
        return done.stdout

    def migrate(self) -> None:
        """Makes the tables of all its databases; on SQLite, by a copy of what the first of the run has made."""
        if (url := self.settings.get("UPSHOT_DATABASE_URL")) is not None:
            if not is_migrated(url):
                self.manage("migrate", "-v0")
            return
        for made in migrated().glob("*.sqlite3"):
            shutil.copy(made, self.data)

    def provision(self, name: str, *more: str) -> dict[str, Any]:
        """A team's service with its DSN and token: TEAM/SERVICE."""
        answer: dict[str, Any] = json.loads(self.manage("provision", name, "--format", "json", *more))
        return answer

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts `manage.py <arguments>` in a process group of its own; its output goes to <data>/output.log."""
        with (self.data / "output.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def serve(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts `manage.py serve` and waits until it answers."""
        process = self.start("serve", *arguments)
        if "--worker-only" not in arguments:
            self.wait_until_up()
        return process

    def wait_until_up(self, seconds: float = 60) -> None:
        """Returns when /healthz answers."""
        eventually(self.is_up, seconds=seconds, what=f"an answer of {self.url}; it said: {self.output()[-1500:]}")

    def is_up(self) -> bool:
        """Whether /healthz answers."""
        with (
            contextlib.suppress(OSError, urllib.error.URLError),
            urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer,
        ):
            return bool(answer.status == 200)
        return False

    def output(self) -> str:
        """What its processes have said so far."""
        log = self.data / "output.log"
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def stop(self) -> None:
        """Ends everything it started, gently first."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()


def state_of_migrations() -> str:
    """Another for other migrations."""
    state = hashlib.sha256()
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        state.update(path.read_bytes())
    return state.hexdigest()[:16]


def migrated_on(server: str) -> str:
    """The name of a migrated, empty database on this PostgreSQL server, to copy: made once for these migrations."""
    name = f"upshot_migrated_{state_of_migrations()}"
    with Path(tempfile.gettempdir(), f"{name}-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=3) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                half = f"{name}_half"
                connection.execute(f"DROP DATABASE IF EXISTS {half} WITH (FORCE)".encode())
                connection.execute(f"CREATE DATABASE {half}".encode())
                with tempfile.TemporaryDirectory() as scratch:
                    Instance(Path(scratch), {"UPSHOT_DATABASE_URL": f"{server}/{half}"}).manage("migrate", "-v0")
                connection.execute(f"ALTER DATABASE {half} RENAME TO {name}".encode())
    return name


def is_migrated(url: str) -> bool:
    """Whether this PostgreSQL database has its tables: it was copied from one that does."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
    return found is not None and found[0] is not None


def migrated() -> Path:
    """A folder with the migrated, empty databases of an SQLite instance: made once for these migrations on this machine."""
    folder = Path(tempfile.gettempdir()) / f"upshot-migrated-{os.getuid()}-{state_of_migrations()}"
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory() as scratch:
                made = Instance(data=Path(scratch))
                made.manage("migrate", "-v0", seconds=900)
                made.manage("migrate", "--database", "inbox", "-v0", seconds=900)
                half = Path(f"{folder}.half")
                shutil.rmtree(half, ignore_errors=True)
                half.mkdir()
                for path in made.data.glob("*.sqlite3*"):
                    shutil.copy(path, half)
                half.rename(folder)
    return folder


@contextlib.contextmanager
def running(data: Path, **settings: str) -> Iterator[Instance]:
    """A migrated, served instance; stopped at the end."""
    data.mkdir(parents=True, exist_ok=True)
    instance = Instance(data=data, settings=settings)
    instance.migrate()
    try:
        instance.serve()
        yield instance
    finally:
        instance.stop()
