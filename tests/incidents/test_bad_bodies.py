"""Every bad body the whole way, in one process: refused with a reason, or stored, or a dead letter. Nothing in between.

The table of `bad_bodies` says what must become of each, so SQLite and PostgreSQL cannot differ.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from incidents.actions.ingest import drain
from incidents.ingest.application import Ingest
from incidents.ingest.keys import KeyCache
from incidents.ingest.writer import GroupWriter, Row, store_rows
from incidents.models import DeadLetter, ErrorEvent, InboxItem, Issue
from tests.asgi import Reply, ask
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.incidents.bad_bodies import CASES, GOOD, ID, Bad, envelope
from tests.incidents.live import AUTH, PROJECT

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]


def own_id(bad: Bad) -> Bad:
    """The case with an id of its own."""
    return Bad(bad.name, bad.body.replace(ID, uuid.uuid4().hex.encode()), bad.outcome, bad.coding, bad.kind)


def sent(cases: Sequence[Bad]) -> list[Reply]:
    """The answers; what was acknowledged stands in the inbox afterwards."""
    rows: list[Row] = []

    def keep(more: Sequence[Row]) -> bool:
        rows.extend(more)
        return False

    async def all_of_them() -> list[Reply]:
        application = Ingest(
            keys=KeyCache(find=lambda *_: True), writer=GroupWriter(store=keep, wake=lambda: None), now=lambda: NOON
        )
        found = []
        for case in cases:
            headers = [*AUTH.items(), *([("Content-Encoding", case.coding)] if case.coding else [])]
            reply = await ask(application, f"/api/{PROJECT}/{case.kind}/", body=case.body, headers=headers)
            assert reply is not None
            found.append(reply)
        return found

    replies = asyncio.run(all_of_them())
    if rows:
        store_rows(rows)
    return replies


def outcome(reply: Reply) -> str:
    """What became of a request, once everything is digested."""
    said = json.loads(reply.body)
    if reply.status != 200:
        assert said["detail"]
        assert reply.headers["x-sentry-error"]
        return str(reply.status)
    title = Issue.objects.filter(events__event_id=said.get("id", "")).values_list("title", flat=True).first()
    dead = DeadLetter.objects.filter(event_id=said.get("id", "-")).values_list("reason", flat=True).first()
    return f"dead: {dead}" if dead else "nothing to store" if title is None else f"stored: {title}"


@pytest.fixture
def project() -> None:
    ServiceFactory.create(number=PROJECT)


@pytest.mark.usefixtures("project")
def test_every_case_ends_as_the_table_says() -> None:
    cases = [own_id(bad) for bad in CASES]

    replies = sent(cases)
    drain(now=NOON)

    found = {case.name: outcome(reply) for case, reply in zip(cases, replies, strict=True)}
    assert found == {case.name: case.outcome for case in cases}
    assert InboxItem.objects.count() == 0


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("bad", [case for case in CASES if case.outcome[0] == "s"], ids=lambda case: case.name)
def test_a_bad_event_harms_none_of_its_neighbours(bad: Bad) -> None:
    neighbours = [Bad("good", GOOD, "") for _ in range(20)]

    replies = sent([own_id(each) for each in [*neighbours[:10], bad, *neighbours[10:]]])
    drain(now=NOON)

    assert [reply.status for reply in replies] == [200] * 21
    assert ErrorEvent.objects.filter(event_id__in=[json.loads(reply.body)["id"] for reply in replies]).count() == 21


@pytest.mark.usefixtures("project")
def test_what_is_too_much_is_capped() -> None:
    named = {case.name: own_id(case) for case in CASES}
    replies = sent([named["10,000 tags"], named["a tag of almost one MiB"], named["a message of 100,000 characters"]])
    drain(now=NOON)

    many, long, message = (ErrorEvent.objects.get(event_id=json.loads(reply.body)["id"]) for reply in replies)
    assert (len(many.tags or {}), len((long.tags or {})["a"]), len(message.message)) == (100, 200, 8_192)


HOSTILE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30),
    st.sampled_from([10**30, -(10**400), "\0", "\ud800", "x" * 9_000, "%s%n", "9" * 400, [], {}, [[]] * 50, {"values": None}]),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=6),
)  # fmt: skip
EVENT: dict[str, Any] = {
    "message": "probe",
    "level": "error",
    "timestamp": NOON.timestamp(),
    "platform": "python",
    "release": "shop@1.2.3",
    "environment": "production",
    "server_name": "web-1",
    "transaction": "GET /",
    "fingerprint": ["{{ default }}"],
    "user": {"id": "7", "email": "a@example.org", "geo": {"city": "x"}},
    "tags": {"region": "eu"},
    "contexts": {"trace": {"trace_id": "a" * 32, "op": "http.server"}, "flags": {"values": [{"flag": "a", "result": True}]}},
    "request": {"url": "https://example.org/", "headers": {"A": "b"}, "cookies": {}, "env": {}},
    "breadcrumbs": {"values": [{"timestamp": 1.0, "message": "x", "data": {}}]},
    "exception": {"values": [{"type": "KeyError", "value": "x", "mechanism": {"handled": False},
                  "stacktrace": {"frames": [{"filename": "a.py", "function": "f", "lineno": 3, "in_app": True, "vars": {"a": "b"}}]}}]},
    "threads": {"values": [{"id": 1, "crashed": True, "stacktrace": {"frames": []}}]},
    "extra": {"a": {"b": [1, 2]}},
}  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at the path; as it is where an earlier change took the path away."""
    if not path:
        return new
    if isinstance(value, dict) and path[0] in value:
        return {**value, path[0]: replaced(value[path[0]], path[1:], new)}
    if isinstance(value, list) and isinstance(path[0], int) and path[0] < len(value):
        return [*value[: path[0]], replaced(value[path[0]], path[1:], new), *value[path[0] + 1 :]]
    return value


@st.composite
def mutants(draw: st.DrawFn) -> Bad:
    """A real event with some of its values exchanged, and perhaps some of its bytes."""
    event: Any = EVENT
    for path, new in draw(st.lists(st.tuples(st.sampled_from(places(EVENT)[1:]), HOSTILE), max_size=4)):
        event = replaced(event, path, new)
    text = json.dumps(event).encode()
    kind = draw(st.sampled_from(["envelope", "envelope", "store"]))
    body = envelope(text, with_length=draw(st.booleans())) if kind == "envelope" else text
    for dice in draw(st.lists(st.integers(0, 2**32), max_size=2)):
        body = damaged(body, random.Random(dice))
    return own_id(
        Bad("mutant", body, "", draw(st.sampled_from(["", "", "", "gzip", "br"])) if len(body) % 7 == 0 else "", kind)
    )


def damaged(body: bytes, dice: random.Random) -> bytes:
    """The body with a piece cut out, repeated or overwritten."""
    start = dice.randrange(len(body) + 1)
    end = min(len(body), start + dice.randrange(1, 12))
    piece = dice.choice(
        [b"", body[start:end] * 2, bytes(dice.randrange(256) for _ in range(3)), b"\\u0000", b"\\ud800", b"\n", b"NaN"]
    )
    return body[:start] + piece + body[end:]


def test_no_mutant_is_a_500_and_none_is_lost(project: None, pytestconfig: pytest.Config) -> None:
    examples = 250 if pytestconfig.getoption("--soak") else 20  # of 40 bodies each
    seen = {"bodies": 0, "stored": 0}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a smaller example would take minutes to find, and says no more
    )
    @given(st.lists(mutants(), min_size=40, max_size=40))
    def try_them(bodies: list[Bad]) -> None:
        replies = sent(bodies)
        drain(now=NOON)
        taken = {json.loads(reply.body)["id"] for reply in replies if reply.status == 200 and b'"id"' in reply.body}
        stored = set(ErrorEvent.objects.filter(event_id__in=taken).values_list("event_id", flat=True))
        dead = set(DeadLetter.objects.exclude(reason="").filter(event_id__in=taken).values_list("event_id", flat=True))
        holding = {id_of(body, reply) for body, reply in zip(bodies, replies, strict=True) if reply.status == 200}
        assert {reply.status for reply in replies} <= {200, 400, 413}
        assert (holding & taken) - stored - dead == set()
        assert InboxItem.objects.count() == 0
        seen["bodies"] += len(bodies)
        seen["stored"] += len(stored)

    try_them()
    assert seen["stored"] > seen["bodies"] / 4, f"the mutants are too broken to try anything: {seen}"


def id_of(body: Bad, reply: Reply) -> str:
    """The id that was answered, where the body holds an event; else nothing."""
    lines = body.body.split(b"\n")
    holds = body.kind == "store" or any(line.startswith(b'{"type": "event"') for line in lines[1:2])
    return str(json.loads(reply.body).get("id", "")) if holds else ""
