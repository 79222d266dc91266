"""Django inside the ASGI process: what it is told of a body is what it can read."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reliability.mount import MAX_BODY, Mounted
from reliability.wsgi import application as wsgi_application
from tests.asgi import Reply, answer, ask


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("201 Created", [("X-Path", environ["PATH_INFO"]), ("X-Cookie", environ.get("HTTP_COOKIE", ""))])
    yield environ["CONTENT_LENGTH"].encode() + b" "
    yield body


def test_a_chunked_body_reaches_wsgi_with_its_length() -> None:
    reply = answer(
        Mounted(echo, threads=2), "/a%20b", body=[b"one", b"", b"two"], headers=[("Transfer-Encoding", "chunked")]
    )

    assert (reply.status, reply.body, reply.headers["x-path"]) == (201, b"6 onetwo", "/a b")


def test_a_large_body_arrives_whole_and_a_larger_one_is_refused() -> None:
    piece = bytes(range(256)) * 4_096

    assert answer(Mounted(echo, threads=1), "/", body=[piece] * 3).body == b"3145728 " + piece * 3
    assert answer(Mounted(echo, threads=1), "/", body=[bytes(MAX_BODY), b"x"]).status == 413


def test_writes_that_wait_leave_the_pages_readable() -> None:
    go_on = threading.Event()

    def waits(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            go_on.wait(30)
        start_response("200 OK", [])
        return [b""]

    async def both() -> list[Reply | None]:
        mounted = Mounted(waits, threads=2)
        writes = [asyncio.create_task(ask(mounted, "/")) for _ in range(5)]
        read = await asyncio.wait_for(ask(mounted, "/", method="GET"), 20)
        go_on.set()
        return [read, *await asyncio.gather(*writes)]

    assert [reply and reply.status for reply in asyncio.run(both())] == [200] * 6


def test_headers_sent_twice_are_joined() -> None:
    headers = [("Cookie", "a=1"), ("Cookie", "b=2")]

    assert answer(Mounted(echo, threads=1), "/", headers=headers).headers["x-cookie"] == "a=1;b=2"


def test_a_failure_inside_is_not_swallowed() -> None:
    def fails(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        answer(Mounted(fails, threads=1), "/")


def test_too_many_waiting_requests_are_told_at_once() -> None:
    release = threading.Event()

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        release.wait(20)
        start_response("200 OK", [])
        return [b"x"]

    async def story() -> list[int]:
        mounted = Mounted(slow, threads=1)
        tasks = [asyncio.ensure_future(ask(mounted, "/")) for _ in range(60)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        release.set()
        replies: list[Reply | None] = await asyncio.gather(*tasks)
        assert done
        return sorted(reply.status for reply in replies if reply is not None)

    assert asyncio.run(story()) == [200] * 50 + [503] * 10


def run_wsgi(**environ: Any) -> tuple[str, bytes]:
    found: list[str] = []
    base = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/healthz", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(),
    }  # fmt: skip
    body = b"".join(wsgi_application({**base, **environ}, lambda status, headers, *_: found.append(status)))
    return found[0], body


def test_a_wsgi_server_that_cannot_read_chunks_refuses_them() -> None:
    assert run_wsgi(HTTP_TRANSFER_ENCODING="chunked")[0] == "411 Length Required"
    assert run_wsgi(PATH_INFO="/api/1/envelope/", CONTENT_LENGTH="0")[0] == "501 Not Implemented"


@pytest.mark.django_db
def test_a_wsgi_server_that_can_read_them_has_them_read() -> None:
    status, _ = run_wsgi(
        HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(b"abc")}
    )

    assert status == "403 Forbidden"  # the page that asks for a CSRF token: Django saw the request
    status, _ = run_wsgi(
        HTTP_TRANSFER_ENCODING="chunked",
        **{"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(bytes(MAX_BODY + 1))},
    )
    assert status == "413 Content Too Large"


def test_a_whole_answer_leaves_at_once_and_a_streamed_one_as_it_comes() -> None:
    class Answer(list[bytes]):
        def __init__(self, *, streaming: bool) -> None:
            super().__init__([b"one ", b"two"])
            self.streaming = streaming

    sent: list[tuple[str, bytes, bool]] = []

    async def send(message: Any) -> None:
        sent.append((message["type"].rpartition(".")[2], message.get("body", b""), message.get("more_body", False)))

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    def ask_for(*, streaming: bool) -> list[tuple[str, bytes, bool]]:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            start_response("200 OK", [])
            return Answer(streaming=streaming)

        sent.clear()
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        asyncio.run(Mounted(application, threads=1)(scope, receive, send))
        return list(sent)

    assert ask_for(streaming=False) == [("start", b"", False), ("body", b"one two", False)]
    assert ask_for(streaming=True) == [
        ("start", b"", False), ("body", b"one ", True), ("body", b"two", True), ("body", b"", False),
    ]  # fmt: skip
