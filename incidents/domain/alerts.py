"""What other tools' alerts say, folded: the same spells of trouble in whatever order, and however often, the words came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DETECTED: Final = "detected"
ACKNOWLEDGED: Final = "acknowledged"
RESOLVED: Final = "resolved"
#: At one instant, what began is read before what ended.
_ORDER: Final = (DETECTED, ACKNOWLEDGED, RESOLVED)


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that was said of an alert: a state of `_ORDER` and since when, in epoch seconds."""

    state: str
    at: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """A time in which an alert fired: [start, end); `end` None while it fires. `looked_at`: when somebody first did."""

    start: float
    end: float | None
    looked_at: float | None = None


def alarms(words: Iterable[Word]) -> list[Alarm]:
    """When the alert fired, in order and apart. Repeats while it fires say nothing new; an end without a beginning neither."""
    found: list[Alarm] = []
    start: float | None = None
    looked_at: float | None = None
    for word in sorted(words, key=lambda word: (word.at, _ORDER.index(word.state))):
        if word.state == DETECTED and start is None:
            start, looked_at = word.at, None
        elif word.state == ACKNOWLEDGED and start is not None and looked_at is None:
            looked_at = word.at
        elif word.state == RESOLVED and start is not None:
            found.append(Alarm(start, word.at, looked_at))
            start = None
    if start is not None:
        found.append(Alarm(start, None, looked_at))
    return found
