"""The supervisor restarts what dies and ends everything when told to."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reliability.supervisor import Child, Supervisor, supervisor_command
from tests.instance import eventually

FOREVER = [sys.executable, "-c", "import threading; threading.Event().wait()"]
AT_ONCE = [sys.executable, "-c", "raise SystemExit(3)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); threading.Event().wait()",
]


@pytest.mark.processes
def test_stop_ends_all_children() -> None:
    supervisor = Supervisor(children=[Child("one", FOREVER), Child("two", FOREVER)], environment=os.environ)
    supervisor.stopping.set()

    supervisor.run()

    assert [child.process.poll() is not None for child in supervisor.children if child.process] == [True, True]


@pytest.mark.processes
def test_a_dead_child_is_started_again_after_a_pause() -> None:
    child = Child("one", AT_ONCE)
    child.start(os.environ)
    assert child.process is not None
    child.process.wait()

    now = time.monotonic()
    child.look(os.environ, now=now)
    child.look(os.environ, now=now + 0.1)
    assert (child.process, child.failures, round(child.restart_at - now, 3)) == (None, 1, 0.5)

    child.look(os.environ, now=now + 0.6)
    assert child.process is not None
    child.process.wait()
    child.look(os.environ, now=now + 0.7)
    assert (child.failures, round(child.restart_at - now, 3)) == (2, 1.7)


@pytest.mark.processes
def test_a_deaf_child_is_killed_at_the_deadline() -> None:
    child = Child("deaf", DEAF)
    child.start(os.environ)
    assert child.process is not None

    child.stop(time.monotonic())

    assert child.process.poll() is not None


def test_run_returns_when_stopped_from_another_thread() -> None:
    supervisor = Supervisor(children=[], environment={})
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    supervisor.stopping.set()
    thread.join(5)

    assert not thread.is_alive()


@pytest.mark.processes
def test_the_program_runs_without_any_library_and_ends_with_its_child(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    body = f"import os, pathlib, threading; pathlib.Path({str(note)!r}).write_text(str(os.getpid())); threading.Event().wait()"
    python, *arguments = supervisor_command({"one": AT_ONCE, "two": [sys.executable, "-c", body]})
    program = subprocess.Popen(
        [python, "-S", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True  # -S: no site-packages
    )  # fmt: skip
    assert program.stderr is not None
    said = json.loads(program.stderr.readline())
    eventually(note.exists, seconds=10, what="the second child")

    program.send_signal(signal.SIGTERM)
    output, _ = program.communicate(timeout=20)

    assert (program.returncode, output) == (0, "Stopped. Nothing acknowledged is lost.\n")
    assert {name: value for name, value in said.items() if name != "at"} == {
        "event": "process ended", "exit_status": 3, "level": "error", "logger": "reliability.supervisor", "process_name": "one",
        "restart_in_seconds": 0.5,
    }  # fmt: skip
    assert not Path(f"/proc/{note.read_text()}").exists()
