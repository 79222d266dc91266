"""The log of what senders sent and what became of it."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Final, ParamSpec

import orjson

from deploys.actions.facts import storable
from deploys.models import ApiToken, Change, Delivery, Service, Source, Team

LONGEST_BODY: Final = 20_000
KEPT: Final = dt.timedelta(days=30)
#: How long a verified delivery can be replayed.
REPLAYABLE: Final = dt.timedelta(days=7)
_SECRET = re.compile(r"secret|token|passw|authorization|api_?key|credential|private|signature|cookie", re.IGNORECASE)
#: What is a secret by its look: our own tokens, passwords in URLs, and whatever follows the name of a scheme.
_SHAPES = re.compile(
    r"\bupshot_[\w-]{20,}+|(?<=://)[^/\s\"'<>]+(?=@)|(?<=\bbearer )[\w.~+/=-]{8,}+|(?<=\bbasic )[\w+/=]{8,}+",
    re.IGNORECASE,
)
#: Every text that either of the above finds has one of these in it, in lower case.
_MARKS: Final = (
    "secret", "token", "passw", "authorization", "apikey", "api_key", "credential", "private", "signature", "cookie",
    "upshot_", "://", "bearer ", "basic ",
)  # fmt: skip
#: Letters that are one of the ASCII alphabet where case is ignored, and no other way.
_ODD: Final = re.compile("[\u0130\u0131\u017f\u212a]")
DEEPEST: Final = 20
REDACTED: Final = "[redacted]"
P = ParamSpec("P")


def delivery_line(
    *,
    team: Team,
    kind: str,
    received_at: dt.datetime,
    verdict: str,
    event: str = "",
    reason: str = "",
    source: Source | None = None,
    token: ApiToken | None = None,
    service: Service | None = None,
    change: Change | None = None,
    delivery_id: str = "",
    signature: str = "",
    body: object = None,
    shown: str | None = None,
    raw: bytes | None = None,
    replay_of: Delivery | None = None,
) -> Delivery:
    """One line of the log, not yet written. Values whose key names a secret are not kept; `raw` is encrypted (`actions.replays`).

    `shown` is what `shown_body` made of the body already.
    """
    return Delivery(
        team=team, source=source, token=token, service=service, change=change, kind=kind, event=_text(event, 100),
        delivery_id=_text(delivery_id, 200), received_at=received_at, signature=signature, verdict=verdict,
        reason=_text(_SHAPES.sub(REDACTED, reason), 2000), body=shown_body(body) if shown is None else shown, raw_encrypted=raw,
        replay_of=replay_of,
    )  # fmt: skip


def _written(make: Callable[P, Delivery]) -> Callable[P, Delivery]:
    @functools.wraps(make)
    def write(*arguments: P.args, **said: P.kwargs) -> Delivery:
        line = make(*arguments, **said)
        line.save(force_insert=True)
        return line

    return write


log_delivery: Final = _written(delivery_line)
"""Writes one line of the log; takes what `delivery_line` takes."""


def _text(value: str, longest: int) -> str:
    return str(storable(value))[:longest]


def shown_body(body: object) -> str:
    """The body as the log shows it: indented, without secrets, cut to 20,000 characters."""
    if body is None:
        return ""
    if isinstance(body, str):
        return _text(_SHAPES.sub(REDACTED, body), LONGEST_BODY)
    kept = body if _is_harmless(body) else redacted(body)
    try:
        said = orjson.dumps(kept, default=str, option=orjson.OPT_INDENT_2).decode()  # thirty times as fast as the other
    except TypeError:  # a half of a surrogate pair, or a number of more than 64 bits
        said = json.dumps(kept, indent=2, ensure_ascii=False, default=str)
    return _text(said, LONGEST_BODY)


def _is_harmless(body: object) -> bool:
    """Whether nothing in the body can be a secret by its name or its look: looked at once, instead of value by value."""
    try:
        text = orjson.dumps(body).decode().lower()
    except TypeError:
        return False
    return not (any(mark in text for mark in _MARKS) or _ODD.search(text) or _is_deep(body))


def _is_deep(value: object, left: int = DEEPEST) -> bool:
    """Whether anything lies so deep that it is not shown."""
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and (
        left == 0 or any(type(each) in {dict, list} and _is_deep(each, left - 1) for each in value)
    )


def redacted(value: object, depth: int = 0) -> object:
    """The JSON value with `[redacted]` for what looks like a secret or stands under its name, and `…` below 20 levels."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, str):  # before the others: most values are texts, and asking for a Mapping is dear
        return _SHAPES.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {
            str(key): REDACTED if _names_secret(str(key)) and each else redacted(each, depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(each, depth + 1) for each in value]
    return value


@functools.lru_cache(maxsize=1000)
def _names_secret(key: str) -> bool:
    """Kept for the keys that come again and again: fifty commits have the same five."""
    return _SECRET.search(key) is not None


def was_taken(*, source: Source, delivery_id: str) -> bool:
    """Whether this delivery of this sender was recorded before. What was refused or ignored may come again."""
    if not delivery_id:
        return False
    recorded = (Delivery.Verdict.CREATED, Delivery.Verdict.UPDATED, Delivery.Verdict.DUPLICATE)
    return Delivery.objects.filter(source=source, delivery_id=delivery_id[:200], verdict__in=recorded).exists()


def forget_old_deliveries(*, now: dt.datetime) -> int:
    """Deletes log lines older than 30 days, a thousand at a time; how many. Of those older than 7 days, the raw bodies."""
    stale = Delivery.objects.filter(received_at__lt=now - REPLAYABLE, raw_encrypted__isnull=False)
    while pks := list(stale.order_by("pk").values_list("pk", flat=True)[:1000]):
        Delivery.objects.filter(pk__in=pks).update(raw_encrypted=None)
    count = 0
    while True:
        old = Delivery.objects.filter(received_at__lt=now - KEPT).order_by("pk").values_list("pk", flat=True)[:1000]
        pks = list(old)
        if not pks:
            return count
        count += Delivery.objects.filter(pk__in=pks).delete()[0]
