"""What is odd about a backup that ran: a run that ended well is not yet a backup that can be restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

NEVER_AFTER = timedelta(hours=36)
UNVERIFIED_AFTER = timedelta(days=30)
#: A size outside of these times the median of the last sizes is suspicious.
SIZES = (0.5, 2.0)
SIZES_OF = 7
FEWEST_SIZES = 3


@dataclass(frozen=True, slots=True)
class BackupRun:
    """One run that ended well. `size` in bytes and `restored` (a restore was tried, and how it went) are None if not told."""

    at: datetime
    size: int | None = None
    restored: bool | None = None
    source_changed_at: datetime | None = None


def backup_warnings(
    runs: Sequence[BackupRun], *, created_at: datetime, now: datetime, longest_age: timedelta | None
) -> list[str]:
    """What a person should look at, worst first. `runs` in order of time; `longest_age` is how old the last good one may be.

    A last good run that is too old is no warning where the source is known not to have changed since: frozen data need no
    new copy.
    """
    if not runs:
        return ["it has never succeeded"] if now - created_at > NEVER_AFTER else []
    found = []
    last = runs[-1]
    if longest_age is not None and now - last.at > longest_age and not _is_frozen(runs):
        found.append("the last good one is too old")
    if (words := _size_words(runs)) is not None:
        found.append(words)
    tried = [run for run in runs if run.restored is not None]
    if tried and tried[-1].restored is False:
        found.append("the last try to restore it failed")
    good = [run for run in tried if run.restored]
    if now - (good[-1].at if good else created_at) > UNVERIFIED_AFTER:
        found.append("nobody has restored one for 30 days")
    return found


def _is_frozen(runs: Sequence[BackupRun]) -> bool:
    """Whether the source is told not to have changed since the last good run."""
    changed_at = runs[-1].source_changed_at
    return changed_at is not None and changed_at <= runs[-1].at


def _size_words(runs: Sequence[BackupRun]) -> str | None:
    sizes = [run.size for run in runs if run.size is not None]
    if runs[-1].size is None or len(sizes) <= FEWEST_SIZES:
        return None
    usual = median(sizes[-1 - SIZES_OF : -1])
    if runs[-1].size == 0:
        return "it is empty"
    if usual and not SIZES[0] <= runs[-1].size / usual <= SIZES[1]:
        return f"its size is {runs[-1].size / usual:.2g} times the usual one"
    return None
