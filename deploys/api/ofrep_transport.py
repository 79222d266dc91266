"""The wire side of the evaluation protocol: raw ASGI, because a framework would cost ten times what an answer does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from deploys.api.raw_asgi import Answer, Pairs, Receive, Scope, Send, leave_to_ask, send_whole
from deploys.formats.ofrep import MOST_BYTES

BODY_SECONDS: Final = 20.0
JSON: Final = (b"content-type", b"application/json")
_PREFLIGHT: Final = leave_to_ask(
    methods="GET, POST, OPTIONS",
    headers="Authorization, X-API-Key, Content-Type, If-None-Match, Cache-Control, Last-Event-ID",
)


class TooLarge(Exception):
    """The body is larger than anybody's context."""


class Gone(Exception):
    """The client went away, or sends too slowly."""


def headers_of(scope: Scope) -> Mapping[bytes, str]:
    """Values by lower-case name; of several with one name, the first."""
    return {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in reversed(scope["headers"])}


def secret_of(headers: Mapping[bytes, str]) -> str:
    """The key sent as `Authorization: Bearer` or `X-API-Key`; empty where there is none."""
    scheme, _, rest = headers.get(b"authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    return headers.get(b"x-api-key", "").strip()


def preflight() -> Answer:
    """What a browser asks before it asks: no key yet, so nothing is told but that it may try."""
    return Answer(204, b"", _PREFLIGHT)


def shared_with(origin: str) -> Pairs:
    """Lets the page that asked read the answer; nothing where no page asked."""
    if not origin:
        return ()
    return (
        (b"access-control-allow-origin", origin.encode("latin-1", "replace")),
        (b"access-control-expose-headers", b"ETag, Retry-After"),
        (b"vary", b"Origin"),
    )


async def read_body(receive: Receive) -> bytes:
    """The whole body. TooLarge past MOST_BYTES, Gone when it never comes."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _collect(receive)
    except TimeoutError as error:
        raise Gone from error


async def _collect(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        piece = bytes(message.get("body", b""))
        size += len(piece)
        if size > MOST_BYTES:
            raise TooLarge
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


async def send_reply(send: Send, reply: Answer) -> None:
    """Writes the answer."""
    headers = [(b"cache-control", b"no-store")]
    if reply.status not in {204, 304}:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    if reply.body:
        headers.append(JSON)
    await send_whole(send, reply, headers)
