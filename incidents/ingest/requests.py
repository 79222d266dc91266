"""What a request says about itself: its target, its credentials, its body."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from deploys.api.raw_asgi import Receive, Scope
from incidents.ingest.answers import Refusal
from incidents.ingest.limits import BODY_SECONDS, MAX_WIRE

_PATH = re.compile(r"(?:/.*)?/api/(\d{1,18})/(envelope|store)/?")
#: Where browsers may be pointed to with the `tunnel` option; the envelope itself names its project.
TUNNEL_PATH = "/monitoring"
_PAIR = re.compile(r"(sentry_\w+)\s*=\s*([^,\s]+)")
_KEY = re.compile(r"[0-9a-zA-Z_-]{1,64}")


#: Values by lower-case name.
Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Target:
    """`project` is None where only the envelope tells it."""

    project: int | None
    kind: str


def target_of(path: str) -> Target | None:
    """What a path addresses; None for every path that is not ingest. A prefix before `/api` is a proxy's matter."""
    if path.rstrip("/") == TUNNEL_PATH:
        return Target(project=None, kind="envelope")
    match = _PATH.fullmatch(path)
    return Target(project=int(match[1]), kind=match[2]) if match else None


def headers_of(scope: Scope) -> Headers:
    """The headers by lower-case name; of several with one name, the first."""
    return {bytes(name).lower(): bytes(value) for name, value in reversed(scope["headers"])}


def header(headers: Headers, name: bytes) -> str:
    """The header of this (lower-case) name, or nothing."""
    return headers.get(name, b"").decode("latin-1")


def key_of(headers: Headers, query_string: bytes) -> str | None:
    """The public key named by header or query; None where neither names one.

    Raises Refusal 403 when two are named that differ, or one that can be no key.
    """
    keys: set[str] = set()
    for name in (b"x-sentry-auth", b"authorization"):
        value = header(headers, name)
        if value[:7].lower() == "sentry " or (value and name == b"x-sentry-auth"):
            keys |= {text for name_, text in _PAIR.findall(value) if name_ == "sentry_key"}
    if b"sentry_key" in query_string:
        keys |= set(parse_qs(query_string.decode("latin-1"), max_num_fields=50).get("sentry_key", ()))
    if len(keys) > 1:
        raise Refusal(403, "the request names two different keys")
    if not keys:
        return None
    [key] = keys
    if not _KEY.fullmatch(key):
        raise Refusal(403, "malformed sentry_key")
    return key


async def read_body(headers: Headers, receive: Receive) -> bytes | None:
    """The whole body, chunked or not; None when the client has gone.

    Raises Refusal 413 past MAX_WIRE bytes, declared or not, and 408 when it takes too long to arrive.
    """
    declared = header(headers, b"content-length")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > MAX_WIRE:
        raise Refusal(413, f"the body is larger than {MAX_WIRE} bytes")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _collect(receive)
    except TimeoutError as error:
        raise Refusal(408, "the body took too long to arrive") from error


async def _collect(receive: Receive) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size > MAX_WIRE:
            raise Refusal(413, f"the body is larger than {MAX_WIRE} bytes")
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces) if len(pieces) != 1 else bytes(piece)
