"""One supervisor over the web process and the worker: starts both, restarts what dies, ends cleanly.

It holds no state: killing it with SIGKILL ends its children too (Linux), and starting it again finds everything in the
database. Processes are restarted with a growing pause, so that a broken set-up does not spin.

`manage.py serve` becomes this program by running this file, which imports the standard library alone: a supervisor that
has Django in it holds more than 50 MB for doing nothing.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

logger = logging.getLogger("reliability.supervisor")

STOP_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 30.0
PR_SET_PDEATHSIG = 1
#: glibc gives each thread a heap of its own and keeps what is freed in it; two are enough here, and hold less.
CHILD_ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "reliability.settings", "MALLOC_ARENA_MAX": "2"}


def end_with_parent() -> None:
    """Asks the kernel to end this process when its parent dies (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Child:
    """A process to be kept alive."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    restart_at: float = 0.0

    def start(self, environment: Mapping[str, str]) -> None:
        """Starts it, in a session of its own so that Ctrl-C reaches the supervisor only."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command, env=dict(environment), start_new_session=True, preexec_fn=end_with_parent  # noqa: PLW1509 -- one libc call
        )  # fmt: skip

    def look(self, environment: Mapping[str, str], *, now: float) -> None:
        """Notes an end and starts it again when its pause is over. A minute of life forgives earlier failures."""
        if self.process is None:
            if now >= self.restart_at:
                self.start(environment)
            return
        code = self.process.poll()
        if code is None:
            return
        self.failures = 1 if now - self.started_at > 60 else self.failures + 1
        pause = min(LONGEST_PAUSE_SECONDS, 0.5 * 2 ** (self.failures - 1))
        logger.error(
            "process ended", extra={"process_name": self.name, "exit_status": code, "restart_in_seconds": pause}
        )
        self.process, self.restart_at = None, now + pause

    def stop(self, deadline: float) -> None:
        """Asks it to end; ends it at the deadline."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass(slots=True)
class Supervisor:
    """Keeps `children` alive until `stop` is set."""

    children: list[Child]
    environment: Mapping[str, str]
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Starts the children and looks after them; returns when told to stop, with all of them ended."""
        for child in self.children:
            child.start(self.environment)
        try:
            while not self.stopping.wait(0.2):
                for child in self.children:
                    child.look(self.environment, now=time.monotonic())
        finally:
            for child in self.children:
                if child.process is not None and child.process.poll() is None:
                    child.process.terminate()
            deadline = time.monotonic() + STOP_SECONDS
            for child in self.children:
                child.stop(deadline)

    def stop_on_signals(self) -> None:
        """Ctrl-C and SIGTERM end the run."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())


def web_command(*, host: str, port: int, processes: int) -> list[str]:
    """Granian serving the ASGI application: raw ingest first, Django behind it."""
    return [
        sys.executable, "-m", "granian", "--interface", "asginl", "--host", host, "--port", str(port), "--workers", str(processes),
        "--no-ws", "--backlog", "1024", "--log-level", "warning", "reliability.asgi:application",
    ]  # fmt: skip


def worker_command(*, threads: int) -> list[str]:
    """A Celery worker with a thread pool."""
    return [sys.executable, "-m", "reliability.worker", str(threads)]


def supervisor_command(commands: Mapping[str, Sequence[str]]) -> list[str]:
    """This file as a program that keeps `commands`, by name, alive. -P: the file's folder is no place to import from."""
    return [sys.executable, "-P", str(Path(__file__).resolve()), json.dumps(commands)]


class _JsonLines(logging.Formatter):
    """The form of all our logs, without the library that makes it elsewhere."""

    def format(self, record: logging.LogRecord) -> str:
        """One object."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs * 1000:06.0f}Z"
        line = {"at": at, "event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
        extra = ("process_name", "exit_status", "restart_in_seconds")
        return json.dumps(
            line | {name: getattr(record, name) for name in extra if hasattr(record, name)}, sort_keys=True
        )


def main(commands: Mapping[str, Sequence[str]]) -> None:
    """Supervises until Ctrl-C or SIGTERM."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    supervisor = Supervisor(
        children=[Child(name, command) for name, command in commands.items()],
        environment={**CHILD_ENVIRONMENT, **os.environ},
    )
    supervisor.stop_on_signals()
    supervisor.run()
    print("Stopped. Nothing acknowledged is lost.")  # noqa: T201 -- a person at a terminal reads it


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
