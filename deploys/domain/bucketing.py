"""Stable buckets: who is inside a percentage stays inside when it grows, on every device and in every process."""

from __future__ import annotations

import hashlib
from typing import Final

#: Shares are whole numbers of thousandths of a per cent: 10 % is 10,000.
WHOLE: Final = 100_000


def bucket(salt: str, unit: str) -> int:
    """The bucket of a unit, 0 to 99,999, even over units and independent between salts.

    The first 64 bits of SHA-256, scaled. SHA-256 and not a checksum: CRC-32 is linear, so that two flags' tenths of the
    users overlap in all or none of them instead of in a tenth.
    """
    digest = hashlib.sha256(f"{salt}.{unit}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") * WHOLE >> 64


def share_of(percent: float) -> int:
    """A percentage in thousandths of a per cent; the nearest."""
    return round(percent * 1000)


def percent_of(share: int) -> float:
    """The percentage of a share; a whole number where it is one."""
    whole, rest = divmod(share, 1000)
    return whole if not rest else share / 1000
