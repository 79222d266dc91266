"""Mounts the WSGI application in the ASGI process: a bounded pool of threads, and bodies that are complete before it runs.

WSGI knows no body without a length: Django reads an empty one from a chunked request and answers 200. So the body is
read here, to the end or to the limit, and its length is stated. Django under its own ASGI handler was several times
dearer for each request when measured, hence this way round.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from deploys.api.raw_asgi import Answer, Receive, Scope, Send
from incidents.ingest.answers import Refusal, refused, send_answer

MAX_BODY = 26 * 1024 * 1024
IN_MEMORY = 512 * 1024
BODY_SECONDS = 60.0
#: Requests that may wait for a thread, for each thread; past it a page says 503 at once instead of hanging.
WAITING_PER_THREAD = 50

READING = frozenset({"GET", "HEAD", "OPTIONS"})

Environ = dict[str, Any]  # Any: PEP 3333
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]  # Any: as above


class Mounted:
    """An ASGI application around a WSGI one. Lives in one event loop."""

    def __init__(self, application: WsgiApplication, *, threads: int) -> None:
        self._application = application
        # apart, so that writes which wait for a database lock leave the pages readable
        self._readers = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="pages")
        self._writers = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="writes")
        self._most = threads * WAITING_PER_THREAD
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if self._waiting >= self._most:
            await send_answer(send, refused(Refusal(503, "too many requests at once", ((b"retry-after", b"2"),))))
            return
        self._waiting += 1
        try:
            with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body:
                length = await _read(receive, body)
                if isinstance(length, Answer):
                    await send_answer(send, length)
                elif length is not None:
                    body.seek(0)
                    await self._run(environ_of(scope, body, length), send)
        finally:
            self._waiting -= 1

    async def _run(self, environ: Environ, send: Send) -> None:
        loop = asyncio.get_running_loop()
        threads = self._readers if environ["REQUEST_METHOD"] in READING else self._writers
        await loop.run_in_executor(threads, _serve, self._application, environ, send, loop)


async def _read(receive: Receive, body: IO[bytes]) -> int | Answer | None:
    """The length of the body now in the file; an answer where it may not be read; None when the client has gone."""
    length = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                length += len(message.get("body", b""))
                if length > MAX_BODY:
                    return refused(Refusal(413, f"the body is larger than {MAX_BODY} bytes"))
                body.write(message.get("body", b""))
                if not message.get("more_body", False):
                    return length
    except TimeoutError:
        return refused(Refusal(408, "the body took too long to arrive"))


def environ_of(scope: Scope, body: IO[bytes], length: int) -> Environ:
    """The WSGI environment of a request whose body has `length` bytes, however it was framed."""
    path = scope.get("raw_path") or scope["path"].encode()
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": unquote_to_bytes(bytes(path).partition(b"?")[0]).decode("latin-1"),
        "QUERY_STRING": bytes(scope.get("query_string", b"")).decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 80),
        "REMOTE_ADDR": client[0],
        "CONTENT_LENGTH": str(length),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = bytes(name).decode("latin-1").upper().replace("-", "_")
        text = bytes(value).decode("latin-1")
        if key in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            continue  # stated anew above: what Django is told and what it can read are the same
        if key == "CONTENT_TYPE":
            environ[key] = text
        else:
            known = environ.get(f"HTTP_{key}")
            environ[f"HTTP_{key}"] = f"{known}{';' if key == 'COOKIE' else ','}{text}" if known is not None else text
    return environ


def _serve(application: WsgiApplication, environ: Environ, send: Send, loop: asyncio.AbstractEventLoop) -> None:
    """Runs the application in this thread; pieces leave as they come, each when the one before has gone."""
    head: dict[str, Any] = {}  # Any: an ASGI message

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        head.update(
            type="http.response.start",
            status=int(status.split(" ", 1)[0]),
            headers=[(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        )
        return pieces.append

    def push(*messages: dict[str, Any]) -> None:  # Any: as above
        asyncio.run_coroutine_threadsafe(_send(send, messages), loop).result()

    pieces: list[bytes] = []
    is_started = False
    result = application(environ, start_response)
    # Whole answers leave at once: each push waits until the event loop and then this thread have got their turn.
    is_whole = getattr(result, "streaming", None) is False
    try:
        for piece in result:
            pieces.append(piece)
            if is_whole:
                continue
            if not is_started:
                push(head)
                is_started = True
            body = b"".join(pieces)
            pieces.clear()
            if body:
                push({"type": "http.response.body", "body": body, "more_body": True})
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    last: dict[str, Any] = {
        "type": "http.response.body",
        "body": b"".join(pieces),
        "more_body": False,
    }  # Any: an ASGI message
    push(*([] if is_started else [head]), last)


async def _send(send: Send, messages: Sequence[dict[str, Any]]) -> None:  # Any: ASGI messages
    for message in messages:
        await send(message)
