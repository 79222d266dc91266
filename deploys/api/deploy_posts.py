"""POST /api/v1/deploys without a framework, for messages that are plainly right: nearly all of them.

CI of many services posts at the same moment; a framework, a thread for each waiting request and a transaction for each message
would cost ten times what is to be written. What is not plain here (no token, other content, a value to be refused) goes to
the view as it came, so every refusal, and its line in the delivery log, is made in one place.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import orjson
from django.conf import settings
from django.db import OperationalError
from django.http.request import split_domain_port, validate_host

from deploys import clock
from deploys.actions.deliveries import delivery_line, shown_body
from deploys.actions.deploys import Incoming, RecordedDeploy, Verdict
from deploys.actions.posts import Letter, Post, post_deploy
from deploys.actions.secrets import secret_hash
from deploys.api.deploys import API, DeploysView
from deploys.api.plain_messages import plain_values
from deploys.api.problems import CONTENT_TYPE, Problem
from deploys.api.raw_asgi import Answer, Application, Receive, Scope, Send, send_whole
from deploys.api.serializers import DeployMessage, deploy_words, report_of
from deploys.api.writes import unknown_keys
from deploys.models import ApiToken
from deploys.models import Scope as TokenScope

PATH: Final = "/api/v1/deploys"
#: Longer ones, of hundreds of commits, are read by the view's threads: the event loop must not stand still for them.
MOST_BYTES: Final = 128 * 1024
BODY_SECONDS: Final = 60.0
#: Messages that may wait for their turn; past it the view decides.
MOST_WAITING: Final = 256
_KNOWN: Final = frozenset(DeployMessage().fields)
_JSON: Final = (b"content-type", b"application/json")
_ALLOW: Final = (b"allow", b"GET, POST, HEAD, OPTIONS")


class Queue(Protocol):
    """What is asked of `deploys.actions.turns.Together`."""

    def later(self, item: Letter, tell: Callable[[RecordedDeploy | None, BaseException | None], None], /) -> None:
        """Calls `tell` with what was recorded, or with the error, from any thread."""


class DeployPosts:
    """Takes what is posted to PATH. `view` answers everything else; `headers` are those of every answer.

    `queue` is where messages wait to be written together.
    """

    def __init__(
        self, *, view: Application, headers: Sequence[tuple[bytes, bytes]] = (), queue: Queue = post_deploy
    ) -> None:
        self._view = view
        self._queue = queue
        self._headers = (*headers, _ALLOW)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; a client that leaves before its body is complete gets nothing."""
        secret = _secret_of(scope)
        if secret is None or self._waiting >= MOST_WAITING:
            await self._view(scope, receive, send)
            return
        self._waiting += 1
        try:
            body = await _body(receive)
            answer = None if body is None else await self._answer(secret, body)
        except TimeoutError:
            body, answer = b"", Answer(408, b'{"detail":"the body took too long to arrive"}', (_JSON,))
        finally:
            self._waiting -= 1
        if answer is not None:
            length = (b"content-length", str(len(answer.body)).encode())
            await send_whole(send, answer, (length, *self._headers))
        elif body is not None:
            await self._view(scope, _again(body, receive), send)

    async def _answer(self, secret: str, body: bytes) -> Answer | None:
        """What became of the message, once it is committed; None where the view is to say."""
        try:
            letter, warnings = _letter(secret, orjson.loads(body))
        except orjson.JSONDecodeError:
            return None
        if letter is None:
            return None
        try:
            recorded = await self._posted(letter)
        except OperationalError:
            problem = Problem("busy", "try again in a few seconds")
            headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
            return Answer(503, orjson.dumps(problem.body), ((b"content-type", CONTENT_TYPE.encode()), *headers))
        except Exception:  # noqa: BLE001 -- nothing of it was kept: the view tries again, and says what is wrong
            return None
        said = orjson.dumps({**deploy_words(recorded.deploy), "warnings": warnings})
        verdict = (b"upshot-verdict", str(recorded.verdict).encode())
        return Answer(201 if recorded.verdict is Verdict.CREATED else 200, said, (_JSON, verdict))

    async def _posted(self, letter: Letter) -> RecordedDeploy:
        """What was recorded; raises what the queue tells."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[RecordedDeploy] = loop.create_future()

        def tell(recorded: RecordedDeploy | None, error: BaseException | None) -> None:
            with contextlib.suppress(RuntimeError):  # the server ends, and nobody waits any more
                loop.call_soon_threadsafe(_settle, future, recorded, error)

        self._queue.later(letter, tell)
        return await future


def _letter(secret: str, data: Any) -> tuple[Letter | None, list[str]]:  # Any: JSON
    """The message as the queue takes it, and what in it was ignored."""
    values = plain_values(data)
    if values is None:
        return None, []
    received_at, warnings = clock.now(), unknown_keys(data, _KNOWN)
    report, commits, delivery_id = report_of(values), values.get("commits", []), values.get("delivery_id")
    shown, reason = shown_body(data), "; ".join(warnings)

    def opened(token: ApiToken) -> Post:
        message = Incoming(
            report=report, source=API, received_at=received_at, delivery_id=delivery_id,
            can_create=TokenScope.SERVICES_WRITE in token.scopes, commits=commits, head_sha=values.get("commit", ""),
        )  # fmt: skip
        line = delivery_line(
            team=token.team, token=token, kind=DeploysView.kind, event=DeploysView.event, received_at=received_at,
            verdict="", reason=reason, delivery_id=delivery_id or "", shown=shown,
        )  # fmt: skip
        return Post(token.team, message, line)

    return Letter(secret_hash(secret), TokenScope.DEPLOYS_WRITE, opened), warnings


def _settle(
    future: asyncio.Future[RecordedDeploy], recorded: RecordedDeploy | None, error: BaseException | None
) -> None:
    if future.done():  # the client has gone
        return
    if recorded is None:
        future.set_exception(error or RuntimeError("no result"))
    else:
        future.set_result(recorded)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when the client has gone. TimeoutError when it takes too long."""
    pieces: list[bytes] = []
    async with asyncio.timeout(BODY_SECONDS):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            pieces.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                return b"".join(pieces)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more, then what comes after it."""
    given = False

    async def receive_again() -> Any:  # Any: an ASGI message
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _secret_of(scope: Scope) -> str | None:
    """The token of a request that may be taken here; None for all others."""
    if scope["method"] != "POST" or scope.get("query_string"):
        return None
    headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
    if len(headers) != len(scope["headers"]) or b"content-encoding" in headers or not _is_plain(headers):
        return None
    words = headers.get(b"authorization", b"").split()
    if len(words) != 2 or words[0].lower() != b"bearer" or not words[1].isascii():
        return None
    return words[1].decode()


def _is_plain(headers: Mapping[bytes, bytes]) -> bool:
    """JSON of a known, short length, for a host of ours, from who takes JSON."""
    length = headers.get(b"content-length", b"")
    return (
        length.isdigit()
        and int(length[:10]) <= MOST_BYTES
        and headers.get(b"content-type", b"").lower() in _CONTENT_TYPES
        and headers.get(b"accept", b"*/*").lower() in _ACCEPTED
        and _is_ours(headers.get(b"host", b"").decode("latin-1"))
    )


_CONTENT_TYPES: Final = frozenset(
    {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
)
_ACCEPTED: Final = frozenset({b"*/*", b"application/json", b"application/json, */*;q=0.5", b"application/json, */*"})


@functools.lru_cache(maxsize=256)
def _is_ours(host: str) -> bool:
    """As Django's `get_host` has it."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
