"""Client reports: how many items a client threw away, and why. They say how complete the error data are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incidents.formats.strict_json import clean_text
from incidents.formats.timestamps import parse_timestamp

MAX_ROWS = 100
_MOST = 10**9


@dataclass(frozen=True, slots=True)
class Discarded:
    """`quantity` items of one category that never left the client. `at` is the client's clock, None if not told."""

    at: datetime | None
    reason: str
    category: str
    quantity: int


def parse(payload: Mapping[str, object]) -> list[Discarded]:
    """All rows of a report; rows that make no sense are left out.

    `rate_limited_events`, `filtered_events` and `filtered_sampling_events` are the relay spelling of the same rows.
    """
    at = parse_timestamp(payload.get("timestamp"))
    found: list[Discarded] = []
    for key in ("discarded_events", "rate_limited_events", "filtered_events", "filtered_sampling_events"):
        rows = payload.get(key)
        for row in rows[:MAX_ROWS] if isinstance(rows, list) else ():
            if not isinstance(row, dict):
                continue
            reason, category, quantity = _word(row.get("reason")), _word(row.get("category")), row.get("quantity")
            if not category or isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 < quantity < _MOST:
                continue
            found.append(Discarded(at, reason or "unknown", category, quantity))
    return found


def _word(value: object) -> str:
    return clean_text(value[:128]).strip()[:64] if isinstance(value, str) else ""
