"""Drives an ASGI application without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploys.api.raw_asgi import Application


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    application: Application,
    path: str,
    *,
    method: str = "POST",
    body: bytes | Sequence[bytes] = b"",
    headers: Sequence[tuple[str, str]] = (),
    query: str = "",
) -> Reply | None:
    """One request; a body given in pieces has no length, as a chunked one. None when nothing was answered."""
    pieces = [body] if isinstance(body, bytes) else list(body)
    given = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    if isinstance(body, bytes):
        given.append((b"content-length", str(len(body)).encode()))
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": given,
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 9),
    }
    sent: list[Any] = []
    waiting = iter(pieces or [b""])
    left = len(pieces or [b""])

    async def receive() -> dict[str, Any]:
        nonlocal left
        left -= 1
        piece = next(waiting, None)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": left > 0}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    if not sent:
        return None
    found = {bytes(name).decode(): bytes(value).decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))


def answer(application: Application, path: str, **request: Any) -> Reply:
    """As `ask`, outside an event loop; an answer is expected."""
    reply = asyncio.run(ask(application, path, **request))
    assert reply is not None
    return reply
