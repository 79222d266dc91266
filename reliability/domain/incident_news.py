"""What there is to tell of an incident: the difference between what was told last and what stands now.

Looked at after each change, once or several changes later, it gives the same news; a change that was taken back in
between is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: Worst first.
CLASSES: Final = ("downtime", "multi_user", "single_user", "impactless")

#: An incident that was over for longer than this when it was first heard of is history: it is not told.
RECENT: Final = timedelta(hours=1)


class What(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    REOPENED = "reopened"
    WORSENED = "worsened"
    CAUSE = "cause"
    RESTORED = "restored"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Standing:
    """An incident as it stands. `cause` names what is said to have done it (likely or confirmed), empty while nothing is."""

    impact_class: str
    restored_at: datetime | None = None
    is_dismissed: bool = False
    is_duplicate: bool = False
    cause: str = ""

    @property
    def is_uncounted(self) -> bool:
        """A false alarm, or a repetition of another incident."""
        return self.is_dismissed or self.is_duplicate


@dataclass(frozen=True, slots=True)
class Told:
    """What was told last. `worst_class` is the worst that was ever told: better is no news, and the same again neither."""

    worst_class: str
    is_restored: bool = False
    is_uncounted: bool = False
    cause: str = ""


def news(told: Told | None, standing: Standing, *, now: datetime) -> tuple[tuple[What, ...], Told | None]:
    """What is new, in the order it is told, and what is told with it. `told` None: nothing was told so far."""
    if told is None:
        return _first(standing, now)
    if standing.is_uncounted:
        if told.is_uncounted:
            return (), told
        return (What.WITHDRAWN if standing.is_dismissed else What.MERGED,), replace(told, is_uncounted=True)
    found: list[What] = []
    is_restored = standing.restored_at is not None
    if not is_restored and (told.is_restored or told.is_uncounted):
        found.append(What.REOPENED)
    worst = min(standing.impact_class, told.worst_class, key=CLASSES.index)
    if worst != told.worst_class and not is_restored:
        found.append(What.WORSENED)
    if standing.cause and standing.cause != told.cause:
        found.append(What.CAUSE)
    if is_restored and not told.is_restored and not told.is_uncounted:
        found.append(What.RESTORED)
    return tuple(found), Told(worst, is_restored, is_uncounted=False, cause=standing.cause or told.cause)


def _first(standing: Standing, now: datetime) -> tuple[tuple[What, ...], Told | None]:
    restored_at = standing.restored_at
    if standing.is_uncounted or (restored_at is not None and now - restored_at > RECENT):
        return (), None
    told = Told(standing.impact_class, restored_at is not None, is_uncounted=False, cause=standing.cause)
    return (What.OPENED,) if restored_at is None else (What.OPENED, What.RESTORED), told
