"""The terms of a verdict's candidates as they are kept: small, and readable by later versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from backports import zstd

_LEVEL = 3


@dataclass(frozen=True, slots=True)
class FrozenCandidate:
    """A candidate by the public id of its change (empty: "no change did this"), with the value of each term."""

    change: str
    terms: Mapping[str, float]


def freeze(candidates: Sequence[FrozenCandidate]) -> bytes:
    """The candidates in their order, compressed."""
    told = [{"change": each.change, "terms": dict(each.terms)} for each in candidates]
    return zstd.compress(orjson.dumps(told), _LEVEL)


def thaw(kept: bytes | memoryview) -> tuple[FrozenCandidate, ...]:
    """What `freeze` kept."""
    return tuple(
        FrozenCandidate(str(each["change"]), {str(name): float(value) for name, value in each["terms"].items()})
        for each in orjson.loads(zstd.decompress(bytes(kept)))
    )
