"""An accepted body as a person may see it: decoded, taken apart, scrubbed and cut. Nothing here raises.

The raw body may hold passwords and personal data, so no part of it leaves this module unscrubbed: what is JSON is
scrubbed by names and patterns; what is not is shown as a short text scrubbed by patterns, or by its size alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from incidents.domain.scrubbing import Scrubber
from incidents.formats import bodies, envelope, strict_json

MAX_DECODED = 4 * 1024 * 1024
MAX_PARTS = 20
#: Characters of one part, and of a text that is no JSON.
LONGEST = 20_000
LONGEST_TEXT = 1_000
#: Types whose payload is somebody's file.
_FILES = frozenset(
    {"attachment", "minidump", "replay_recording", "profile", "profile_chunk", "unreal_report", "feedback"}
)


@dataclass(frozen=True, slots=True)
class ShownPart:
    """One part of a body. `text` is empty where only the size may be told; `note` says why, or what was cut."""

    name: str
    size_bytes: int
    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ShownBody:
    """The parts, and what kept the body from being read further."""

    parts: tuple[ShownPart, ...]
    decoded_bytes: int | None = None
    problem: str = ""


def shown_body(body: bytes, *, kind: str, coding: str, scrubber: Scrubber) -> ShownBody:
    """What may be shown of a body of the inbox. `scrubber` has the rules of its team."""
    try:
        data = bodies.decode(body, coding=coding, limit=MAX_DECODED)
    except (bodies.BadBody, bodies.BodyTooLarge) as error:
        note = "it cannot be decoded, so only its size is shown"
        return ShownBody((ShownPart("the whole body", len(body), note=note),), problem=str(error))
    if kind == "store":
        return ShownBody((_part("the event", data, scrubber),), decoded_bytes=len(data))
    try:
        found = envelope.parse(data)
    except ValueError as error:
        part = _part("the whole body", data, scrubber)
        return ShownBody((part,), decoded_bytes=len(data), problem=str(error))
    header = data.partition(b"\n")[0]
    parts = [_part("envelope header", header, scrubber)]
    for item in found.items[:MAX_PARTS]:
        name = strict_json.clean_text(item.type[:40])
        if item.type in _FILES:
            parts.append(ShownPart(name, len(item.payload), note="a file: only its size is shown"))
        else:
            parts.append(_part(name, item.payload, scrubber))
    rest = len(found.items) - MAX_PARTS
    return ShownBody(
        tuple(parts), decoded_bytes=len(data), problem=f"{rest} more items are not shown" if rest > 0 else ""
    )


def _part(name: str, data: bytes, scrubber: Scrubber) -> ShownPart:
    try:
        value = strict_json.loads_object(data)
    except (ValueError, RecursionError):
        return _text_part(name, data, scrubber)
    try:
        text = json.dumps(scrubber.value(value), indent=2, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return ShownPart(name, len(data), note="it is nested too deeply to be shown")
    return ShownPart(name, len(data), _whole(text[:LONGEST]), "cut" if len(text) > LONGEST else "")


def _text_part(name: str, data: bytes, scrubber: Scrubber) -> ShownPart:
    """No JSON. Patterns are looked for in more than is shown, so that nothing half cut slips through at the end."""
    head = data[: 4 * LONGEST_TEXT].decode("utf-8", "replace")
    if not head.strip() or head.count("\N{REPLACEMENT CHARACTER}") + head.count("\0") > len(head) // 10:
        return ShownPart(name, len(data), note="it is no text: only its size is shown")
    text = scrubber.text(head)[:LONGEST_TEXT]
    return ShownPart(
        name, len(data), _whole(text), "no JSON: the beginning as text" if len(data) > len(text) else "no JSON"
    )


def _whole(text: str) -> str:
    """Without what no page can carry: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
