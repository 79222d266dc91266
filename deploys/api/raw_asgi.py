"""What raw ASGI applications share: the protocol's types, one answer, and leave for pages elsewhere to ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]  # Any: ASGI's own type of a message
Scope = MutableMapping[str, Any]  # Any: as above
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Pairs = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. `body` is JSON text, or empty."""

    status: int
    body: bytes = b""
    headers: Pairs = ()


def leave_to_ask(*, methods: str, headers: str) -> Pairs:
    """What a browser wants to be told before it lets any page ask with these methods and headers; it remembers for a day."""
    return (
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", methods.encode()),
        (b"access-control-allow-headers", headers.encode()),
        (b"access-control-max-age", b"86400"),
    )


async def send_whole(send: Send, answer: Answer, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Writes the answer with these headers before its own, in two messages that servers put into one segment."""
    await send({"type": "http.response.start", "status": answer.status, "headers": [*headers, *answer.headers]})
    await send({"type": "http.response.body", "body": answer.body})
