"""In what the incidents of a closed period are known otherwise today than when it was closed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploys.domain.instants import optional_instant


@dataclass(frozen=True, slots=True)
class KnownToday:
    """An incident as it stands: its ids (external, public), class and clocks."""

    ids: tuple[str, ...]
    impact_class: str
    begin_at: datetime
    restored_at: datetime | None


@dataclass(frozen=True, slots=True)
class Moved:
    """What of an incident is otherwise, in words. id: as the stored row calls it, or its external id."""

    id: str
    words: str


def moved_since(
    stored: Iterable[Mapping[str, Any]],  # Any: incident rows of reliability.domain.rows
    today: Iterable[KnownToday],
    *,
    end: datetime,
) -> list[Moved]:
    """Stored rows first, in their order, then incidents that had none; empty where nothing is otherwise.

    end: that of the period, at which what is over later was open.
    """
    known = {name: each for each in today for name in each.ids}
    found: list[Moved] = []
    seen: set[tuple[str, ...]] = set()
    for row in stored:
        now = known.get(row["id"])
        if now is None:
            found.append(Moved(row["id"], "counted then, does not count today"))
            continue
        seen.add(now.ids)
        words = _otherwise(row, now, end)
        if words:
            found.append(Moved(row["id"], ", ".join(words)))
    news = (each for each in known.values() if each.ids not in seen)
    return found + [Moved(ids[0], "not known then") for ids in dict.fromkeys(each.ids for each in news)]


def _otherwise(row: Mapping[str, Any], now: KnownToday, end: datetime) -> list[str]:  # Any: as above
    words = []
    if row["class"] != now.impact_class:
        words.append(f"{_spelt(row['class'])} then, {_spelt(now.impact_class)} today")
    if optional_instant(row["begin_at"]) != now.begin_at:
        words.append("began at another time")
    restored_at = now.restored_at if now.restored_at is not None and now.restored_at < end else None
    if optional_instant(row["restored_at"]) != restored_at:
        words.append("ended at another time")
    return words


def _spelt(impact_class: str) -> str:
    return impact_class.replace("_", "-")
