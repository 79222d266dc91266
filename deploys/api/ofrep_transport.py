"""The wire side of the evaluation protocol: raw ASGI, because a framework would cost ten times what an answer does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from deploys.formats.ofrep import MOST_BYTES

Scope = MutableMapping[str, Any]  # Any: ASGI's own type
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]  # Any: as above
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]  # Any: as above
Pairs = tuple[tuple[bytes, bytes], ...]

BODY_SECONDS: Final = 20.0
JSON: Final = (b"content-type", b"application/json")
_PREFLIGHT: Final[Pairs] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"Authorization, X-API-Key, Content-Type, If-None-Match, Cache-Control, Last-Event-ID",
    ),
    (b"access-control-max-age", b"86400"),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Pairs = ()


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


def preflight() -> Reply:
    """What a browser asks before it asks: no key yet, so nothing is told but that it may try."""
    return Reply(204, b"", _PREFLIGHT)


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


async def send_reply(send: Send, reply: Reply) -> None:
    """Writes the answer, headers and body in two messages that servers put into one segment."""
    headers = [(b"content-length", str(len(reply.body)).encode()), (b"cache-control", b"no-store"), *reply.headers]
    if reply.body:
        headers.append(JSON)
    if reply.status in {204, 304}:
        headers = [pair for pair in headers if pair[0] != b"content-length"]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
