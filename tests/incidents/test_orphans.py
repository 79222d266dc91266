"""The worker's main process is killed over and over, alone: no job runs twice in a period, nothing of it lives on."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from incidents import tasks
from tests.incidents.live import Live, copied
from tests.instance import eventually

pytestmark = pytest.mark.processes

KILLS = 10
OFTEN = {tasks.SWEEP, tasks.DETECT, tasks.MONITORS}
#: Every claim of a job, as the database saw it: by whom is not known there, which is the point.
_WATCH = """
CREATE TABLE started (job TEXT, at TEXT, leased_until TEXT);
CREATE TRIGGER job_started AFTER UPDATE OF last_started_at ON deploys_scheduledjob
BEGIN INSERT INTO started VALUES (NEW.name, NEW.last_started_at, OLD.leased_until); END;
"""


def children(pid: int) -> set[int]:
    """Processes that this one has started and that live."""
    try:
        return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()


def is_running(pid: int) -> bool:
    """Whether it lives and is no mere entry that nobody has asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def started(live: Live) -> set[tuple[str, str]]:
    return {(job, at) for job, at in live.query("SELECT job, at FROM started")}


def claims(live: Live) -> dict[str, list[tuple[dt.datetime, dt.datetime | None]]]:
    """When each job was claimed, and until when it was leased to somebody else then."""
    found: dict[str, list[tuple[dt.datetime, dt.datetime | None]]] = {}
    for job, at, leased_until in live.query("SELECT job, at, leased_until FROM started ORDER BY at"):
        leased = dt.datetime.fromisoformat(leased_until) if leased_until else None
        found.setdefault(job, []).append((dt.datetime.fromisoformat(at), leased))
    return found


def test_jobs_run_once_a_period_whoever_is_killed(template: Path, tmp_path: Path) -> None:
    """Ten times the supervisor dies alone, and the next one starts while the worker of the last one may still live."""
    live = copied(template, tmp_path / "data")
    with contextlib.closing(sqlite3.connect(live.instance.data / "upshot.sqlite3")) as database:
        database.executescript(_WATCH)
    workers: set[int] = set()
    try:
        for number in range(KILLS + 1):
            before = started(live)
            main = live.instance.start("serve", "--worker-only")
            found = eventually(lambda pid=main.pid: children(pid), seconds=60, what="a worker")
            workers |= found
            wanted = OFTEN if number == KILLS else set()
            eventually(
                lambda before=before, wanted=wanted: (
                    (new := started(live) - before) and wanted <= {job for job, _ in new}
                ),
                seconds=90,
                what=f"jobs after {number} kills",
            )
            if number < KILLS:
                os.kill(main.pid, signal.SIGKILL)
                main.wait()
        workers -= found
        eventually(lambda: not [pid for pid in workers if is_running(pid)], seconds=60, what="the end of all orphans")
        assert [is_running(pid) for pid in found] == [True]
    finally:
        live.instance.stop()

    found_claims = claims(live)
    periods = dict(live.query("SELECT name, period_seconds FROM deploys_scheduledjob"))
    assert set(found_claims) == set(periods)
    too_soon = [
        (job, before, after)
        for job, each in found_claims.items()
        for (before, _), (after, _) in itertools.pairwise(each)
        if (after - before).total_seconds() < periods[job]
    ]
    twice_leased = [
        (job, at, until) for job, each in found_claims.items() for at, until in each if until and until > at
    ]
    assert (too_soon, twice_leased) == ([], [])
