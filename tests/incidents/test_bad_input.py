"""Hostile and broken input against a real server: refused or kept, never a 500, never acknowledged and lost."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import socket
import subprocess
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import brotli
import pytest
from backports import zstd

from tests.incidents.live import AUTH, KEY, PROJECT, PYTHON, Live, counters

pytestmark = pytest.mark.processes


def resident_mib(live: Live) -> float:
    """Memory of the web processes, peak of each since its start, summed."""
    group = live.children["web"].pid
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if int(status.with_name("stat").read_text().rpartition(")")[2].split()[2]) == group:
                total += int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1])  # type: ignore[index]  # always there
        except (OSError, TypeError):
            continue
    return total / 1024


@pytest.mark.conformance
def test_the_shared_bad_inputs(live: Live, shared: Path) -> None:
    live.start_worker()
    run = subprocess.run(
        [PYTHON, str(shared / "bench/bad.py"), "127.0.0.1", str(live.instance.port), KEY, str(PROJECT)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    rows = [re.match(r"(.{34}) (\w+)  \d+ ms  '(.*)'$", line) for line in run.stdout.splitlines()]
    answers = {row[1].strip(): (row[2], row[3]) for row in rows if row}
    assert len(answers) == 26
    assert {name: status for name, (status, _) in answers.items() if status not in ("200", "400", "403", "413")} == {}
    ids = {json.loads(body)["id"] for status, body in answers.values() if status == "200" and "id" in body}
    live.wait_until_digested()
    found = {event_id for (event_id,) in live.query("SELECT event_id FROM incidents_errorevent")}
    dead = {event_id for (event_id,) in live.query("SELECT event_id FROM incidents_deadletter", inbox=True)}
    assert (ids - found - dead, len(ids)) == (set(), 6)


def test_bombs_cost_little_and_hurt_no_neighbour(live: Live) -> None:
    size = 1 << 30
    good = b'{}\n{"type":"event"}\n{"message":"good"}\n'
    bombs = [("gzip", _gzip_bomb(size)), ("br", _brotli_bomb(size)), ("zstd", _zstd_bomb(size)), ("deflate", _deflate_bomb(size))]  # fmt: skip
    odd = [
        ("gzip", gzip.compress(_gzip_bomb(size))),  # undone once, and then no envelope
        ("gzip, gzip", gzip.compress(_gzip_bomb(size))),  # two codings at once are not spoken
        ("gzip", gzip.compress(b"") * 500_000),  # decodes to nothing, stream after stream
        ("zstd", zstd.compress(b"") * 500_000),
    ]
    live.post("/api/42/envelope/", good)
    before = resident_mib(live)

    with ThreadPoolExecutor(20) as pool:
        sent = [
            pool.submit(live.post, "/api/42/envelope/", body, {**AUTH, "Content-Encoding": coding})
            for coding, body in bombs * 3 + odd * 2
        ]
        good_answers = [live.post("/api/42/envelope/", good)[0] for _ in range(20)]
        statuses = [future.result()[0] for future in sent]

    assert statuses == [413] * 12 + [400, 415, 400, 400] * 2
    assert set(good_answers) == {200}
    assert resident_mib(live) - before < 80  # up to 30 MB of it are the bodies as they came


def _gzip_bomb(size: int) -> bytes:
    block = gzip.compress(bytes(1 << 24), 9)
    return block * (size >> 24)


def _brotli_bomb(size: int) -> bytes:
    stream = brotli.Compressor(quality=5, lgwin=22)
    piece = bytes(1 << 24)
    return b"".join(stream.process(piece) for _ in range(size >> 24)) + stream.finish()


def _deflate_bomb(size: int) -> bytes:
    """One stream: zlib's cannot stand one behind the other, but a block that is flushed whole can be repeated."""
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = stream.compress(bytes(1 << 24)) + stream.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 24) + stream.flush()


def _zstd_bomb(size: int) -> bytes:
    return zstd.compress(bytes(1 << 24)) * (size >> 24)


def test_an_endless_chunked_body_is_cut_off(live: Live) -> None:
    before = resident_mib(live)
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    head = f"POST /api/42/envelope/ HTTP/1.1\r\nHost: x\r\nX-Sentry-Auth: {AUTH['X-Sentry-Auth']}\r\n"
    with socket.create_connection(("127.0.0.1", live.instance.port), 30) as connection:
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(300):
                connection.sendall(chunk)
        connection.settimeout(10)
        answer = b""
        with contextlib.suppress(OSError):
            answer = connection.recv(100)

    assert answer[:12] in (b"HTTP/1.1 413", b"")
    assert resident_mib(live) - before < 80
    assert live.number("SELECT count(*) FROM incidents_inboxitem", inbox=True) == 0


def test_the_same_events_from_eight_threads_are_one_row_each(live: Live) -> None:
    live.start_worker()
    ids = [uuid.uuid4().hex for _ in range(20)]
    bodies = [b'{"event_id":"%s"}\n{"type":"event"}\n{"message":"x"}\n' % each.encode() for each in ids]

    answers = live.post_at_once(bodies * 5, threads=8)
    live.wait_until_digested()

    assert [(status, json.loads(body)) for status, body in answers] == [(200, {"id": each}) for each in ids * 5]
    assert sorted(live.query("SELECT event_id FROM incidents_errorevent")) == sorted((each,) for each in ids)
    assert {name: pair for name, pair in counters(live).items() if pair[0] != pair[1]} == {}


#: What forges a line, a colour or a terminal command in a log that is written carelessly.
FORGED = 'x\r\n{"event": "forged"}\x1b[31m\x07\x9b2J\u2028\u2029\x85'


def test_no_field_of_a_sender_forges_a_line_of_the_log(live: Live) -> None:
    """Names, keys, paths, headers and dead letters, with the log at its most talkative."""
    live.instance.settings["UPSHOT_LOG_LEVEL"] = "INFO"
    live.kill("web")
    live.start_web()
    live.start_worker()
    (live.instance.data / "output.log").write_text("")
    names = [
        "message",
        "release",
        "environment",
        "server_name",
        "transaction",
        "logger",
        "platform",
        "level",
        "culprit",
    ]
    event = dict.fromkeys(names, FORGED) | {"tags": {FORGED: FORGED}, "fingerprint": [FORGED], "user": {"id": FORGED}}
    head = {"event_id": uuid.uuid4().hex}
    texts = [json.dumps(part) for part in (head, {"type": "event"}, event, {"type": FORGED}, {})]
    sent = [
        live.post("/api/42/envelope/", "\n".join(texts).encode()),
        live.post("/api/42/envelope/", json.dumps({"event_id": FORGED}).encode()),
        live.post("/api/42/envelope/", b"x", {"X-Sentry-Auth": "Sentry sentry_key=a%0d%0ab"}),
        live.post("/no-such-page/%0d%0a%1b[31m/", b"x"),
        live.post("/api/v1/deploys", json.dumps({"id": FORGED}).encode(), {"Authorization": "Bearer a%0d%0ab"}),
    ]
    live.wait_until_digested()
    log = (live.instance.data / "output.log").read_bytes().decode()

    assert [status for status, _ in sent] == [200, 400, 403, 404, 401]
    assert [line for line in log.split("\n") if "forged" in line and not line.startswith("{")] == []
    assert {character for character in log if character != "\n" and not character.isprintable()} == set()
