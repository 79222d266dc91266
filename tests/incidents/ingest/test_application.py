"""The front that takes errors in: who may, what is refused and how, and that nothing is acknowledged before it is stored."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import gzip
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import brotli
import pytest
from django.db import OperationalError

from incidents.ingest.application import Ingest
from incidents.ingest.keys import KeyCache
from incidents.ingest.writer import GroupWriter, Row
from tests.asgi import Reply, answer, ask
from tests.conftest import NOON

KEY = "0123456789abcdef0123456789abcdef"
ID = "9ec79c33ec9942ab8353589fcb2e04dc"
AUTH = ("X-Sentry-Auth", f"Sentry sentry_key={KEY}, sentry_version=7, sentry_client=test/1")
EVENT = b'{"event_id":"%s"}\n{"type":"event"}\n{"message":"hello"}\n' % ID.encode()
PATH = "/api/42/envelope/"


class Inbox:
    """Keeps what was committed, and counts what was looked up."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.rows: list[Row] = []
        self.lookups: list[tuple[int, str]] = []
        self.problem = problem

    def store(self, rows: Sequence[Row]) -> bool:
        if self.problem is not None:
            raise self.problem
        self.rows += rows
        return False

    def find(self, project: int, key: str) -> bool:
        self.lookups.append((project, key))
        return (project, key) == (42, KEY)

    def application(self) -> Ingest:
        writer = GroupWriter(store=self.store, wake=lambda: None)
        return Ingest(keys=KeyCache(find=self.find), writer=writer, now=lambda: NOON)

    def post(self, body: bytes | Sequence[bytes] = EVENT, path: str = PATH, **request: object) -> Reply:
        return answer(self.application(), path, body=body, **{"headers": [AUTH], **request})


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def detail(reply: Reply) -> tuple[int, str]:
    return reply.status, json.loads(reply.body)["detail"]


def test_an_event_is_stored_as_it_came_and_then_acknowledged(inbox: Inbox) -> None:
    body = gzip.compress(EVENT)

    reply = inbox.post(body, headers=[AUTH, ("Content-Encoding", "gzip")])

    assert (reply.status, json.loads(reply.body)) == (200, {"id": ID})
    assert inbox.rows == [Row(42, "envelope", "gzip", ID, body, NOON)]


@pytest.mark.parametrize("path", ["/api/42/envelope/", "/api/42/envelope", "/some/prefix/api/42/envelope/"])
def test_slashes_and_prefixes_do_not_matter(inbox: Inbox, path: str) -> None:
    assert inbox.post(path=path).status == 200


def test_a_body_in_pieces_is_one_body(inbox: Inbox) -> None:
    reply = inbox.post([EVENT[:10], b"", EVENT[10:40], EVENT[40:]])

    assert (reply.status, inbox.rows[0].body) == (200, EVENT)


def test_a_client_that_leaves_is_not_stored_half(inbox: Inbox) -> None:
    async def leave() -> Reply | None:
        async def receive() -> dict[str, object]:
            return messages.pop(0)

        messages: list[dict[str, object]] = [
            {"type": "http.request", "body": EVENT[:20], "more_body": True},
            {"type": "http.disconnect"},
        ]
        sent: list[object] = []

        async def send(message: object) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": PATH, "headers": [(b"x-sentry-auth", AUTH[1].encode())]}
        await inbox.application()(scope, receive, send)  # type: ignore[arg-type]  # plain dicts
        assert sent == []
        return None

    asyncio.run(leave())
    assert inbox.rows == []


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([AUTH], ""),
        ([("X-Sentry-Auth", f"Sentry sentry_version=7,sentry_key={KEY}")], ""),
        ([("Authorization", f"Sentry sentry_key={KEY}")], ""),
        ([], f"sentry_version=7&sentry_key={KEY}&sentry_client=js"),
        ([AUTH], f"sentry_key={KEY}"),
    ],
)
def test_a_key_by_header_or_query(inbox: Inbox, headers: list[tuple[str, str]], query: str) -> None:
    assert inbox.post(headers=headers, query=query).status == 200


@pytest.mark.parametrize(
    ("headers", "query", "path", "message"),
    [
        ([], "", PATH, "missing authorization information"),
        ([("X-Sentry-Auth", "Sentry")], "", PATH, "missing authorization information"),
        ([("X-Sentry-Auth", "Sentry sentry_key=" + "0" * 32)], "", PATH, "bad sentry DSN public key"),
        ([("X-Sentry-Auth", "Sentry sentry_key=\xe9'--")], "", PATH, "malformed sentry_key"),
        ([AUTH], "sentry_key=" + "0" * 32, PATH, "the request names two different keys"),
        ([AUTH], "", "/api/43/envelope/", "bad sentry DSN public key"),
    ],
)
def test_who_may_not_is_told_so(
    inbox: Inbox, headers: list[tuple[str, str]], query: str, path: str, message: str
) -> None:
    reply = inbox.post(headers=headers, query=query, path=path)

    assert detail(reply) == (403, message)
    assert reply.headers["x-sentry-error"] == message
    assert inbox.rows == []


def dsn(project: int = 42, key: str = KEY) -> bytes:
    return b'{"dsn":"https://%s@x.example/%d"}\n{"type":"event"}\n{}\n' % (key.encode(), project)


def test_the_envelope_may_bring_the_credentials(inbox: Inbox) -> None:
    replies = [
        inbox.post(dsn(), headers=[]),
        inbox.post(dsn(), headers=[], path="/monitoring"),
        inbox.post(dsn(), headers=[AUTH]),
    ]

    assert [reply.status for reply in replies] == [200, 200, 200]
    assert [row.project for row in inbox.rows] == [42, 42, 42]


def test_credentials_that_disagree_are_refused(inbox: Inbox) -> None:
    message = "the DSN in the envelope does not agree with the request"

    assert detail(inbox.post(dsn(key="f" * 32))) == (403, message)
    assert detail(inbox.post(dsn(project=43))) == (403, message)
    assert detail(inbox.post(dsn(key="f" * 32), headers=[])) == (403, "bad sentry DSN public key")
    assert detail(inbox.post(EVENT, headers=[], path="/monitoring")) == (403, "missing authorization information")
    assert inbox.rows == []


def test_a_wrong_key_silences_nobody(inbox: Inbox) -> None:
    application = inbox.application()
    wrong = [("X-Sentry-Auth", "Sentry sentry_key=" + "0" * 32)]

    async def story() -> list[int]:
        found = []
        for headers in (wrong, [AUTH], wrong, [AUTH], wrong):
            reply = await ask(application, PATH, body=EVENT, headers=headers)
            assert reply is not None
            found.append(reply.status)
        return found

    assert asyncio.run(story()) == [403, 200, 403, 200, 403]
    assert inbox.lookups == [(42, "0" * 32), (42, KEY)]


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (b"", "", 400),
        (b"hello\n", "", 400),
        (gzip.compress(EVENT)[:40], "gzip", 400),
        (EVENT, "gzip", 400),
        (EVENT, "snappy", 415),
        (b'{}\n{"type":"event"}\n{"message": \n', "", 400),
        (b'{}\n{"type":"event"}\n[1,2]\n', "", 400),
        (b'{}\n{"type":"event"}\n' + b"[" * 50_000 + b"]" * 50_000, "", 400),
        (b'{}\n{"type":"event","length":-5}\n{}\n', "", 400),
        (b'{}\n{"type":"event"}\n{"a":"' + b"B" * 2_000_000 + b'"}', "", 413),
        (b'{}\n{"type":"client_report"}\n{"a":"' + b"B" * 5_000 + b'"}', "", 413),
        (brotli.compress(EVENT + b" " * (200 << 20)), "br", 413),
        (gzip.compress(EVENT + b" " * (200 << 20)), "gzip", 413),
        (b"x" * (21 << 20), "", 413),
    ],
    ids=range(14),
)
def test_what_is_no_event_is_refused_while_the_sender_listens(
    inbox: Inbox, body: bytes, coding: str, status: int
) -> None:
    reply = inbox.post(body, headers=[AUTH, ("Content-Encoding", coding)])

    assert reply.status == status
    assert reply.headers["x-sentry-error"] == json.loads(reply.body)["detail"]
    assert inbox.rows == []


def test_odd_events_are_taken(inbox: Inbox) -> None:
    odd = [
        b'{"message":"a\\u0000b\\ud800c"}',
        b'{"message":{"a":[1]},"level":17,"tags":"x","user":5,"release":{"x":1}}',
        b"{}",
        b'{"n":NaN}',
    ]

    replies = [inbox.post(b'{}\n{"type":"event"}\n' + payload) for payload in odd]

    assert [reply.status for reply in replies] == [200] * 4
    assert [row.event_id for row in inbox.rows] == [json.loads(reply.body)["id"] for reply in replies]


def test_an_item_nobody_keeps_is_taken_and_the_client_asked_to_keep_it(inbox: Inbox) -> None:
    reply = inbox.post(EVENT + b'{"type":"attachment","length":3}\nabc\n{"type":"replay_event"}\n{}\n')

    assert reply.status == 200
    assert reply.headers["x-sentry-rate-limits"] == "3600:attachment;replay:organization:not_kept"
    assert "x-sentry-rate-limits" not in inbox.post().headers


def test_an_empty_envelope_is_taken_and_dropped(inbox: Inbox) -> None:
    reply = inbox.post(b'{"event_id":"%s"}' % ID.encode())

    assert (reply.status, json.loads(reply.body), inbox.rows) == (200, {"id": ID}, [])


def test_a_session_is_taken_without_an_id(inbox: Inbox) -> None:
    reply = inbox.post(b'{}\n{"type":"session"}\n{"sid":"x"}\n')

    assert (reply.status, json.loads(reply.body), len(inbox.rows)) == (200, {}, 1)


def test_the_old_endpoint_takes_one_event(inbox: Inbox) -> None:
    body = json.dumps({"event_id": ID, "message": "x"}).encode()

    reply = inbox.post(body, path="/api/42/store/")

    assert (reply.status, json.loads(reply.body)) == (200, {"id": ID})
    assert (inbox.rows[0].kind, inbox.rows[0].event_id) == ("store", ID)


def test_other_methods_and_browsers(inbox: Inbox) -> None:
    preflight = inbox.post(b"", method="OPTIONS", headers=[("Origin", "https://shop.example")])
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-methods"] == "POST, OPTIONS"

    get = inbox.post(b"", method="GET")
    assert (get.status, get.headers["allow"]) == (405, "POST, OPTIONS")
    assert inbox.post().headers["access-control-expose-headers"] == "X-Sentry-Error, X-Sentry-Rate-Limits, Retry-After"


def test_a_full_disk_is_said_to_be_one() -> None:
    problem = OperationalError("database or disk is full")
    problem.__cause__ = sqlite3.OperationalError("database or disk is full")
    problem.__cause__.sqlite_errorname = "SQLITE_FULL"

    reply = Inbox(problem).post()

    assert (reply.status, reply.headers["retry-after"]) == (507, "10")
    assert reply.headers["x-sentry-rate-limits"] == "10::organization:disk"


@pytest.mark.parametrize("problem", [OperationalError("disk I/O error"), RuntimeError("surprise")])
def test_what_was_not_committed_is_not_acknowledged(problem: Exception, caplog: pytest.LogCaptureFixture) -> None:
    reply = Inbox(problem).post()

    assert (reply.status, reply.headers["retry-after"]) == (503, "10")


def test_a_full_queue_asks_to_wait() -> None:
    inbox = Inbox()
    blocked = asyncio.Event()

    async def story() -> list[Reply]:
        loop = asyncio.get_running_loop()

        def slow(rows: Sequence[Row]) -> bool:
            asyncio.run_coroutine_threadsafe(blocked.wait(), loop).result()
            return inbox.store(rows)

        application = Ingest(keys=KeyCache(find=inbox.find), writer=GroupWriter(store=slow, wake=lambda: None))
        many = [asyncio.ensure_future(ask(application, PATH, body=EVENT, headers=[AUTH])) for _ in range(4_600)]
        done, _ = await asyncio.wait(many, return_when=asyncio.FIRST_COMPLETED)
        refused = [task.result() for task in done]
        blocked.set()
        await asyncio.gather(*many)
        taken = [reply for task in many if (reply := task.result()) is not None and reply.status == 200]
        assert len(taken) == len(inbox.rows)
        return [reply for reply in refused if reply is not None]

    [first, *_] = asyncio.run(story())

    assert (first.status, first.headers["retry-after"]) == (429, "10")
    assert first.headers["x-sentry-rate-limits"] == "10::organization:queue"


def test_while_the_database_is_away_known_keys_stay_known() -> None:
    inbox, moment, is_away = Inbox(), [0.0], [False]

    def find(project: int, key: str) -> bool:
        if is_away[0]:
            raise OperationalError("gone")
        return inbox.find(project, key)

    keys = KeyCache(find=find, clock=lambda: moment[0])
    application = Ingest(keys=keys, writer=GroupWriter(store=inbox.store, wake=lambda: None))
    other = [("X-Sentry-Auth", "Sentry sentry_key=" + "a" * 32)]

    async def story() -> list[int]:
        found = []
        for at, away, headers in ((0, False, [AUTH]), (60, True, [AUTH]), (60, True, other), (4_000, True, [AUTH])):
            moment[0], is_away[0] = float(at), away
            reply = await ask(application, PATH, body=EVENT, headers=headers)
            assert reply is not None
            found.append(reply.status)
        return found

    assert asyncio.run(story()) == [200, 200, 503, 503]


@pytest.mark.conformance
def test_the_written_edge_cases(inbox: Inbox, shared: Path) -> None:
    cases = json.loads((shared / "fixtures/sentry-envelopes/edge-cases.json").read_text())["cases"]
    found = {}
    for case in cases:
        headers = [] if case["name"] == "dsn-in-header" else [AUTH]
        found[case["name"]] = inbox.post(base64.b64decode(case["body_b64"]), headers=headers).status

    assert found == {case["name"]: 400 if "error" in case["expect"] else 200 for case in cases}


def test_receipt_is_told_by_the_one_clock(inbox: Inbox) -> None:
    inbox.post()

    assert inbox.rows[0].received_at == NOON
    assert inbox.rows[0].received_at.tzinfo is dt.UTC
