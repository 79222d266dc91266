"""Public identifiers: UUIDv7 (RFC 9562 §5.7), so that ids sort by the time they were made."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Iterable


def uuid7() -> uuid.UUID:
    """A new UUIDv7: 48 bits of milliseconds since 1970, version and variant, 74 random bits."""
    return uuid7_of(time.time_ns() // 1_000_000, secrets.randbits(74))


def uuid7_of(milliseconds: int, random_bits: int) -> uuid.UUID:
    """The UUIDv7 with this time and these 74 random bits; the pure half of `uuid7`."""
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76
    value |= (random_bits >> 62 & 0xFFF) << 64
    value |= 0b10 << 62
    value |= random_bits & (1 << 62) - 1
    return uuid.UUID(int=value)


def public_ids_among(ids: Iterable[str]) -> list[uuid.UUID]:
    """Those of printed ids that may be public ones, in order: a record is printed by the id its sender gave it, or by its own."""
    found = []
    for each in ids:
        try:
            found.append(uuid.UUID(each))
        except ValueError:
            continue
    return found
