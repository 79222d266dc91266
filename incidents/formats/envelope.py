"""Envelopes of the Sentry protocol: one header line, then items of a header line and a payload each.

Grammar: sentry-docs, develop-docs/sdk/foundations/data-model/envelopes. Lengths count bytes. An item without a length
ends at the next newline. Items of a type nobody here knows are kept by their type, so that one new feature of a
client never costs the event that travels with it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

import orjson

from incidents.formats.strict_json import InvalidJson, loads_object
from incidents.formats.timestamps import parse_timestamp

MAX_ITEMS = 1_000
MAX_HEADER_BYTES = 8 * 1024
# An envelope carries one event at most; its header says whose id that is.
SINGLE_TYPES = frozenset({"event", "transaction"})
_HEX = re.compile("[0-9a-f]{32}")


class MalformedEnvelope(ValueError):
    """The bytes do not follow the grammar; the text says where and is safe to show to the sender."""


class ItemTooLarge(ValueError):
    """One item is larger than its type allows."""


@dataclass(frozen=True, slots=True)
class Dsn:
    """What a DSN says about whom it belongs to; host and secret do not matter to the receiver."""

    public_key: str
    project: int


@dataclass(frozen=True, slots=True)
class Item:
    type: str
    payload: bytes
    headers: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Envelope:
    """`event_id` is 32 lower-case hexadecimal digits. `sent_at` is the sender's clock when it sent."""

    event_id: str | None
    sent_at: datetime | None
    dsn: Dsn | None
    items: tuple[Item, ...]


def parse(data: bytes, *, limits: dict[str, int] | None = None) -> Envelope:
    """The envelope in `data`; `limits` maps item types to the most bytes a payload may have.

    Raises MalformedEnvelope where the grammar is broken, ItemTooLarge where a limit is passed.
    """
    line, position = _line(data, 0)
    header = _header(line, "the envelope header")
    items: list[Item] = []
    single = 0
    while position < len(data):
        line, position = _line(data, position)
        if not line.strip():
            if data[position:].strip():
                raise MalformedEnvelope(f"empty line in place of the header of item {len(items) + 1}")
            break
        item, position = _item(line, data, position, len(items) + 1)
        limit = (limits or {}).get(item.type)
        if limit is not None and len(item.payload) > limit:
            raise ItemTooLarge(f"item {len(items) + 1} ({item.type}) is larger than {limit} bytes")
        single += item.type in SINGLE_TYPES
        items.append(item)
        if len(items) > MAX_ITEMS or single > 1:
            raise MalformedEnvelope("more than one event" if single > 1 else f"more than {MAX_ITEMS} items")
    return Envelope(
        event_id=_event_id(header),
        sent_at=parse_timestamp(header.get("sent_at")),
        dsn=_dsn(header),
        items=tuple(items),
    )


def of_items(kind: str, payloads: Iterable[bytes]) -> bytes:
    """An envelope of items of one type, with no header of its own."""
    lines = [b"{}"]
    for payload in payloads:
        lines += [orjson.dumps({"type": kind, "length": len(payload)}), payload]
    return b"\n".join(lines) + b"\n"


def canonical_id(value: object) -> str | None:
    """An event id as 32 hexadecimal digits, from any spelling of a UUID; None for everything else."""
    if not isinstance(value, str) or not 32 <= len(value) <= 45 or not value.isascii():
        return None
    if _HEX.fullmatch(value):  # as nearly every client spells it
        return value
    try:
        return uuid.UUID(value).hex
    except ValueError:
        return None


@lru_cache(maxsize=256)
def parse_dsn(text: str) -> Dsn | None:
    """`scheme://public[:secret]@host[:port][/prefix]/project`, or None where it is no DSN."""
    try:
        parts = urlsplit(text)
        key, tail = parts.username, parts.path.rpartition("/")[2]
    except ValueError:
        return None
    if not key or not parts.hostname or not (tail.isascii() and tail.isdigit() and len(tail) <= 18):
        return None
    return Dsn(public_key=key, project=int(tail))


def _line(data: bytes, start: int) -> tuple[bytes, int]:
    """The line that begins at `start` without its newline, and where the next one begins."""
    end = data.find(b"\n", start)
    return (data[start:end], end + 1) if end >= 0 else (data[start:], len(data))


def _header(line: bytes, name: str) -> dict[str, object]:
    if len(line) > MAX_HEADER_BYTES:
        raise MalformedEnvelope(f"{name} is longer than {MAX_HEADER_BYTES} bytes")
    try:
        return loads_object(line)
    except InvalidJson as error:
        raise MalformedEnvelope(f"{name} is not a JSON object") from error


def _item(line: bytes, data: bytes, start: int, number: int) -> tuple[Item, int]:
    """One item and the position after the newline that ends it."""
    headers = _header(line, f"the header of item {number}")
    kind = headers.get("type")
    if not isinstance(kind, str) or not kind:
        raise MalformedEnvelope(f"item {number} has no type")
    length = headers.get("length")
    if length is None:
        payload, after = _line(data, start)
        return Item(type=kind, payload=payload, headers=headers), after
    if isinstance(length, bool) or not isinstance(length, int) or length < 0:
        raise MalformedEnvelope(f"item {number} has a length that is no whole number")
    end = start + length
    if end > len(data):
        raise MalformedEnvelope(f"item {number} ends before its length of {length} bytes")
    for newline in (b"\n", b"\r\n", b""):
        if data.startswith(newline, end) and (newline or end == len(data)):
            return Item(type=kind, payload=data[start:end], headers=headers), end + len(newline)
    raise MalformedEnvelope(f"bytes after the payload of item {number}; length counts bytes, not characters")


def _event_id(header: dict[str, object]) -> str | None:
    value = header.get("event_id")
    if value is None:
        return None
    event_id = canonical_id(value)
    if event_id is None:
        raise MalformedEnvelope("event_id in the envelope header is no UUID")
    return event_id


def _dsn(header: dict[str, object]) -> Dsn | None:
    value = header.get("dsn")
    if value is None:
        return None
    dsn = parse_dsn(value) if isinstance(value, str) else None
    if dsn is None:
        raise MalformedEnvelope("dsn in the envelope header is no DSN")
    return dsn
