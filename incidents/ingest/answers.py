"""What a client of the Sentry protocol is told, in the forms it understands."""

from __future__ import annotations

from typing import Final

import orjson

from deploys.api.raw_asgi import Answer, Send, leave_to_ask, send_whole
from incidents.domain.admission import rate_limits

_CORS: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Sentry-Error, X-Sentry-Rate-Limits, Retry-After"),
)
#: Without the origin, which every answer names.
_PREFLIGHT: Final = leave_to_ask(
    methods="POST, OPTIONS",
    headers="X-Sentry-Auth, Authorization, Content-Type, Content-Encoding, Transfer-Encoding, Sentry-Trace, Baggage, Accept",
)[1:]

#: What a refusal is counted as where it says nothing better, by status.
_REASONS = {
    400: "malformed",
    403: "wrong_key",
    408: "slow",
    413: "too_large",
    415: "unknown_coding",
    503: "unavailable",
}


class Refusal(Exception):
    """A request that is not taken. The text is shown to the sender; `reason` is one word, for the counts."""

    def __init__(
        self, status: int, detail: str, headers: tuple[tuple[bytes, bytes], ...] = (), *, reason: str = ""
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.reason = reason or _REASONS.get(status, "")
        #: Whose body it was, where the path does not tell.
        self.project: int | None = None


def accepted(event_id: str | None, *, limits: str = "") -> Answer:
    """Taken and durable. `limits` asks the client to stop sending what nobody here keeps."""
    body = orjson.dumps({"id": event_id} if event_id else {})
    return Answer(200, body, ((b"x-sentry-rate-limits", limits.encode()),) if limits else ())


def refused(refusal: Refusal) -> Answer:
    """The refusal with its reason in the body and in the header that clients print."""
    reason = refusal.detail.encode("ascii", "replace").replace(b"\r", b" ").replace(b"\n", b" ")
    body = orjson.dumps({"detail": refusal.detail})
    return Answer(refusal.status, body, ((b"x-sentry-error", reason), *refusal.headers))


def too_much(detail: str, *, seconds: int, reason: str, categories: tuple[str, ...] = (), status: int = 429) -> Refusal:
    """Asks the sender to wait, with these categories or with all. Clients need whole seconds, and both headers: each
    reads another one, and those that know the second heed it alone.
    """
    limits = rate_limits(seconds=seconds, categories=categories, reason=reason)
    headers = ((b"retry-after", str(seconds).encode()), (b"x-sentry-rate-limits", limits.encode()))
    return Refusal(status, detail, headers, reason=reason)


def not_now(detail: str, *, seconds: int) -> Refusal:
    """Nothing was stored; the fault is ours."""
    return Refusal(503, detail, ((b"retry-after", str(seconds).encode()),))


def preflight() -> Answer:
    """What a browser asks before it posts."""
    return Answer(200, b"", _PREFLIGHT)


async def send_answer(send: Send, answer: Answer) -> None:
    """Writes the response. Every answer may be read by any page: a DSN is public, and nothing is told but success."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer.body)).encode()), *_CORS]
    await send_whole(send, answer, headers)
