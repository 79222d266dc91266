"""Deploys posted past the framework: the same answers and the same rows, and all that is not plain goes to the view."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, connection, connections
from django.test import Client

from deploys import clock
from deploys.actions.deploys import RecordedDeploy
from deploys.actions.posts import Letter, Post, take
from deploys.actions.turns import Together
from deploys.api.deploy_posts import MOST_BYTES, PATH, DeployPosts
from deploys.api.raw_asgi import Receive, Scope, Send
from deploys.api.serializers import DeployAnswer, deploy_words
from deploys.models import ApiToken, Change, Delivery, Deploy, Fact, Team
from deploys.models import Scope as TokenScope
from reliability.mount import Mounted
from tests.asgi import Reply, answer, ask
from tests.conftest import NOON
from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory
from tests.factories.changes import DeployFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]

MESSAGE = {"id": "42", "service": "shop", "status": "success", "release": "1.4.2", "colour": "red"}
Tell = Callable[[RecordedDeploy | None, BaseException | None], None]


class AtOnce:
    """The queue, taken by a thread that borrows the test's connection: nobody else sees what a test writes."""

    def __init__(self) -> None:
        self.count = 0
        self.error: Exception | None = None
        self.mine = connections["default"]

    def later(self, item: Letter, tell: Tell, /) -> None:
        self.count += 1
        self.mine.inc_thread_sharing()
        at = clock.now()

        def work() -> None:
            connections["default"] = self.mine
            done: RecordedDeploy | Exception
            try:
                with clock.at(at):
                    done = self.error or take([item])[0]
            except Exception as error:  # noqa: BLE001 -- told, as by the queue
                done = error
            tell(*((None, done) if isinstance(done, Exception) else (done, None)))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        self.mine.dec_thread_sharing()


class View:
    """Stands where the framework is: notes the body, and answers 418."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        self.bodies.append(message["body"])
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def queue() -> AtOnce:
    return AtOnce()


@pytest.fixture
def view() -> View:
    return View()


@pytest.fixture
def posts(view: View, queue: AtOnce) -> DeployPosts:
    return DeployPosts(view=view, queue=queue, headers=[(b"x-every", b"1")])


def posted(posts: DeployPosts, headers: dict[str, str], message: Any = MESSAGE, **more: str) -> Reply:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    given = {"Host": "127.0.0.1", "Content-Type": "application/json", "Accept": "*/*", **headers, **more}
    return answer(posts, PATH, body=body, headers=list(given.items()))


def rows(team: Team) -> list[Any]:
    names = (
        "verdict",
        "reason",
        "body",
        "kind",
        "event",
        "delivery_id",
        "received_at",
        "token__prefix",
        "service__name",
    )
    return [
        list(Delivery.objects.filter(team=team).order_by("pk").values_list(*names[:-2], "service__name")),
        list(Fact.objects.filter(team=team).order_by("pk").values_list("kind", "identity", "received_at", "source", "payload")),
        list(Deploy.objects.filter(team=team).values_list("external_id", "status", "kind_listed", "is_live_listed")),
    ]  # fmt: skip


@pytest.mark.usefixtures("noon")
def test_answers_and_rows_are_those_of_the_view(client: Client, posts: DeployPosts, view: View) -> None:
    here, there = TeamFactory(), TeamFactory()
    other = bearer(there)

    mine = bearer(here)
    replies = [posted(posts, mine) for _ in range(2)]
    answers = [client.post(PATH, MESSAGE, content_type="application/json", headers=other) for _ in range(2)]

    for reply, expected in zip(replies, answers, strict=True):
        changing = {"public_id", "web_url"}
        body = json.loads(reply.body)
        assert reply.status == expected.status_code
        assert list(body) == list(expected.json())
        assert {k: v for k, v in body.items() if k not in changing} == {
            k: v for k, v in expected.json().items() if k not in changing
        }
        named = ("content-type", "allow", "upshot-verdict", "content-length")
        lengths = len(here.slug) - len(there.slug)
        told = {name: reply.headers[name] for name in named}
        assert told == {
            **{n: expected.headers[n] for n in named[:3]},
            "content-length": str(len(expected.content) + lengths),
        }
        assert reply.headers["x-every"] == "1"
    assert rows(here) == rows(there)
    assert view.bodies == []


def test_an_answer_has_the_fields_of_its_document() -> None:
    assert list(deploy_words(DeployFactory())) == list(DeployAnswer().fields)


@pytest.mark.parametrize(
    ("message", "more"),
    [
        (b"{", {}),
        (b"", {}),
        ([1], {}),
        ({"id": "1"}, {}),
        ({**MESSAGE, "status": "done"}, {}),
        ({**MESSAGE, "release": None}, {}),
        (MESSAGE, {"Host": "evil.example"}),
        (MESSAGE, {"Host": ""}),
        (MESSAGE, {"Accept": "text/html"}),
        (MESSAGE, {"Content-Type": "application/xml"}),
        (MESSAGE, {"Content-Encoding": "gzip"}),
        (MESSAGE, {"Authorization": "Basic dXNlcjpwYXNz"}),
        (MESSAGE, {"Authorization": "Bearer"}),
        (MESSAGE, {"Authorization": "Bearer \xfc"}),
        (MESSAGE, {"Authorization": "Bearer upshot_nope"}),
        ({**MESSAGE, "description": "x" * MOST_BYTES}, {}),
    ],
)
def test_what_is_not_plain_goes_to_the_view_as_it_came(
    posts: DeployPosts, view: View, message: Any, more: dict[str, str]
) -> None:
    reply = posted(posts, bearer(TeamFactory()), message, **more)

    assert reply.status == 418
    assert view.bodies == [message if isinstance(message, bytes) else json.dumps(message).encode()]
    assert (Deploy.objects.count(), Delivery.objects.count()) == (0, 0)


def test_other_methods_queries_and_bodies_in_pieces_go_to_the_view(posts: DeployPosts, view: View) -> None:
    headers = [("Content-Type", "application/json"), ("Host", "127.0.0.1"), *bearer(TeamFactory()).items()]

    replies = [
        answer(posts, PATH, method="GET", headers=headers),
        answer(posts, PATH, query="a=1", body=b"{}", headers=headers),
        answer(posts, PATH, body=[b"{", b"}"], headers=headers),
        answer(posts, PATH, body=b"{}", headers=[*headers, ("Accept", "a"), ("Accept", "b")]),
    ]

    assert [reply.status for reply in replies] == [418] * 4


@pytest.mark.parametrize("why", ["revoked", "expired", "other scope"])
def test_a_token_that_may_not_post_is_for_the_view_to_refuse(posts: DeployPosts, view: View, why: str) -> None:
    headers = bearer(TeamFactory(), [TokenScope.DEPLOYS_READ if why == "other scope" else TokenScope.DEPLOYS_WRITE])
    if why != "other scope":
        ApiToken.objects.update(**{"revoked_at" if why == "revoked" else "expires_at": NOON})

    assert posted(posts, headers).status == 418
    assert Deploy.objects.count() == 0


def test_a_token_that_may_make_no_service_is_for_the_view_to_refuse(posts: DeployPosts, view: View) -> None:
    headers = bearer(TeamFactory(), [TokenScope.DEPLOYS_WRITE])

    assert posted(posts, headers).status == 418
    assert (Deploy.objects.count(), Delivery.objects.count(), len(view.bodies)) == (0, 0, 1)


def test_the_use_of_the_token_is_noted(posts: DeployPosts, noon: Any) -> None:
    posted(posts, bearer(TeamFactory()))

    assert ApiToken.objects.get().last_used_at == NOON


def test_a_busy_database_is_told_and_nothing_is_tried_again(posts: DeployPosts, queue: AtOnce, view: View) -> None:
    queue.error = OperationalError("locked")

    reply = posted(posts, bearer(TeamFactory()))

    assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")
    assert (reply.headers["retry-after"], json.loads(reply.body)["type"].rsplit("/", 1)[1]) == ("5", "busy")
    assert view.bodies == []


def test_the_view_behind_it_refuses_and_logs(queue: AtOnce) -> None:
    mounted = Mounted(_in_this_thread, threads=1)
    reply = posted(DeployPosts(view=mounted, queue=queue), {}, {"id": "1"})

    assert (reply.status, json.loads(reply.body)["type"].rsplit("/", 1)[1]) == (401, "not-authenticated")


def _in_this_thread(environ: Any, start_response: Any) -> Any:
    return get_wsgi_application()(environ, start_response)


@pytest.mark.django_db(transaction=True)
def test_the_same_deploy_from_forty_requests_at_once_is_one_row_and_one_answer() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("the test database of SQLite lives in memory and has one connection")
    headers = [("Host", "127.0.0.1"), ("Content-Type", "application/json"), *bearer(TeamFactory()).items()]
    body = json.dumps({**MESSAGE, "started_at": "2026-03-04T11:00:00Z"}).encode()
    queue = Together(_take_and_close)
    posts = DeployPosts(view=View(), queue=queue)

    async def all_at_once() -> Sequence[Reply | None]:
        return await asyncio.gather(*(ask(posts, PATH, body=body, headers=headers) for _ in range(40)))

    replies = [reply for reply in asyncio.run(all_at_once()) if reply is not None]

    assert Counter(reply.status for reply in replies) == {201: 1, 200: 39}
    assert len({reply.body for reply in replies}) == 1
    assert [model._default_manager.count() for model in (Deploy, Change)] == [1, 1]
    assert Counter(Delivery.objects.values_list("verdict", flat=True)) == {"created": 1, "duplicate": 39}


def _take_and_close(items: Sequence[Post | Letter]) -> Sequence[RecordedDeploy | Exception]:
    try:
        return take(items)
    finally:
        connections.close_all()
