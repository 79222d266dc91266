"""Places in a list that is sorted by time: where the next page begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from deploys.domain.instants import NotAnInstant, instant_text, parse_instant


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: rows at an earlier time, or at the same time with a smaller key, come after it."""

    at: datetime
    key: int

    def __str__(self) -> str:
        return f"{instant_text(self.at)}_{self.key}"


def read_cursor(text: str) -> Cursor | None:
    """The cursor in a query string; None for an empty one or one that is none."""
    instant, _, key = text.rpartition("_")
    if not key.isascii() or not key.isdigit() or len(key) > 18:
        return None
    try:
        return Cursor(at=parse_instant(instant), key=int(key))
    except NotAnInstant:
        return None
