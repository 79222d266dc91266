"""What the machine can do: two endpoints that do as little as can be, under the same server as ours.

`raw` reads the body, undoes gzip, splits the envelope, parses the event and answers. `commit` also writes the body to an
SQLite file with synchronous=FULL by the plainest group commit, and answers after it. Neither checks a key or a limit.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
import zlib
from typing import Any

import orjson

ANSWER = {"type": "http.response.body", "body": b"{}"}
HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")]}  # fmt: skip
_waiting: queue.SimpleQueue[tuple[bytes, asyncio.AbstractEventLoop, asyncio.Future[None]]] = queue.SimpleQueue()
_thread: threading.Thread | None = None


async def _parsed_body(receive: Any) -> bytes:
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = b"".join(pieces)
    _, _, event = zlib.decompress(body, wbits=31).split(b"\n", 2)
    orjson.loads(event)
    return body


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """Parses and answers."""
    if scope["type"] == "http":
        if scope["method"] == "POST":
            await _parsed_body(receive)
        await send(HEAD)
        await send(ANSWER)


async def commit(scope: Any, receive: Any, send: Any) -> None:
    """Parses, commits and answers."""
    global _thread  # noqa: PLW0603 -- one for the process
    if scope["type"] != "http":
        return
    if scope["method"] == "POST":
        body = await _parsed_body(receive)
        if _thread is None:
            _thread = threading.Thread(target=_write, daemon=True)
            _thread.start()
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        _waiting.put((body, loop, future))
        await future
    await send(HEAD)
    await send(ANSWER)


def _write() -> None:
    database = sqlite3.connect(os.environ["CEILING_FILE"], isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE inbox (id INTEGER PRIMARY KEY, body BLOB)"
    )
    while True:
        group = [_waiting.get()]
        while not _waiting.empty():
            group.append(_waiting.get())
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO inbox (body) VALUES (?)", [(body,) for body, _, _ in group])
        database.execute("COMMIT")
        group[0][1].call_soon_threadsafe(_answer, [future for _, _, future in group])


def _answer(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
