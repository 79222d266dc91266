"""What was acknowledged was on disk before: the system calls of the web process say so, in the order the kernel saw them.

Were the power cut at any moment, everything a client was told 2xx for had been written to a write-ahead log and an fsync
of that log had returned before the first byte of the answer was sent.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from incidents.ingest.writer import Row, store_rows
from tests.conftest import NOON, skip_or_fail
from tests.incidents.live import Live

CALLS = "write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync"
_LINE = re.compile(r"(?P<pid>\d+) +(?:<\.\.\. )?(?P<call>\w+)(?P<rest>.*)", re.DOTALL)


def finished_calls(trace: str) -> Iterator[tuple[str, str, bool]]:
    """Each call as (name, arguments, whether it is only now beginning), in order; a call that blocks comes twice.

    What a call sends or writes counts when it begins, an fsync when it has returned 0.
    """
    open_calls: dict[str, str] = {}
    for line in trace.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        pid, call, rest = match["pid"], match["call"], match["rest"]
        if rest.endswith("<unfinished ...>"):
            open_calls[pid] = rest
            yield call, rest, True
        elif " resumed>" in rest[:10]:
            yield call, open_calls.pop(pid, "") + rest, False
        else:
            yield call, rest, True
            yield call, rest, False


def first_unsynced_answer(trace: str, ids: set[str], log: str) -> str | None:
    """The first answer with one of these ids that left before the log that holds it was synced; None where none did.

    Raises AssertionError when an id was never seen written or answered: then the trace proves nothing.
    """
    written: set[str] = set()
    being_synced: set[str] = set()
    durable: set[str] = set()
    answered: set[str] = set()
    created = 0
    for call, text, is_beginning in finished_calls(trace):
        if call in ("fsync", "fdatasync"):
            if log in text and is_beginning:
                being_synced = set(written)
            elif log in text and text.rstrip().endswith("= 0"):
                durable |= being_synced
        elif is_beginning:
            found = {each for each in ids if each in text}
            if log in text:
                written |= found
            elif "<socket:" in text:
                answered |= found
                created += "HTTP/1.1 201" in text  # pages send the head before the body that holds the id
                if found - durable or created > len(durable):
                    return text
    assert (answered, written) == (ids, ids)
    return None


@pytest.fixture
def traced(live: Live, tmp_path: Path) -> Path:
    """The file in which the web process's system calls are noted."""
    strace = shutil.which("strace")
    if strace is None:
        skip_or_fail("no strace: install it (Debian: apt-get install strace)")
    live.kill("web")
    trace = tmp_path / "trace.txt"
    live.start("web", under=[strace, "-f", "-y", "-s", "6000", "-e", f"trace={CALLS}", "-o", str(trace)])
    live.instance.wait_until_up(120)
    return trace


@pytest.mark.processes
def test_an_event_is_on_disk_before_its_answer(live: Live, traced: Path) -> None:
    ids = {uuid.uuid4().hex for _ in range(40)}

    answers = live.post_at_once(
        [b'{"event_id":"%s"}\n{"type":"event"}\n{"message":"x"}\n' % each.encode() for each in ids], threads=8
    )
    live.kill("web")

    assert {status for status, _ in answers} == {200}
    assert first_unsynced_answer(traced.read_text(errors="replace"), ids, "/inbox.sqlite3-wal") is None


@pytest.mark.processes
def test_a_deploy_is_on_disk_before_its_answer(live: Live, traced: Path) -> None:
    token = live.instance.provision("shop/shop")["deploy_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    ids = {uuid.uuid4().hex for _ in range(5)}

    statuses = {
        live.post("/api/v1/deploys", b'{"id": "%s", "service": "shop"}' % each.encode(), headers)[0] for each in ids
    }
    live.kill("web")

    assert statuses == {201}
    assert first_unsynced_answer(traced.read_text(errors="replace"), ids, "/upshot.sqlite3-wal") is None


def test_an_answer_before_the_sync_is_seen() -> None:
    trace = (
        '7 pwrite64(5</d/x-wal>, "aaa", 3, 0) = 3\n'
        "7 fdatasync(5</d/x-wal> <unfinished ...>\n"
        '8 sendto(9<socket:[1]>, "HTTP/1.1 200 OK aaa", 19, 0, NULL, 0) = 19\n'
        "7 <... fdatasync resumed>) = 0\n"
    )

    assert "200 OK aaa" in str(first_unsynced_answer(trace, {"aaa"}, "/x-wal"))
    late = "\n".join(sorted(trace.splitlines(), key=lambda line: line.startswith("8 ")))
    assert first_unsynced_answer(late, {"aaa"}, "/x-wal") is None


@pytest.mark.database
@pytest.mark.django_db(databases="__all__")
def test_every_commit_waits_for_the_disk() -> None:
    if connections["default"].vendor == "postgresql":
        with CaptureQueriesContext(connections["default"]) as seen:
            store_rows([Row(1, "envelope", "", "", b"x", NOON)])
        assert "SET LOCAL synchronous_commit TO on" in [query["sql"] for query in seen]
        return
    modes = {}
    for alias in ("default", "inbox"):
        with connections[alias].cursor() as cursor:
            modes[alias] = cursor.execute("PRAGMA synchronous").fetchone()
    assert modes == {"default": (2,), "inbox": (2,)}
