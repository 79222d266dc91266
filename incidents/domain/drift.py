"""Drift: what serves users is not what was deployed, as far as anybody reported.

Errors and sessions carry the release they come from. Three things follow, none of them from a single sighting:

- a release that nobody deployed has taken over: an unreported deploy;
- a release that was replaced serves everybody again: an unreported rollback;
- no release that is seen was ever deployed: the two sides name versions differently, and nothing can be told.

Old clients report for weeks (browsers, telephones), so that an old release alone means nothing; and what was seen in the
first day of watching was there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from deploys.domain.releases import is_older_version, is_same_version

FIRST_DAY: Final = timedelta(hours=24)
"""Releases first seen this long after watching began were there before."""
GRACE: Final = timedelta(minutes=20)
"""A deploy may be reported this much later than its first traffic without being missed."""
TAKEN_OVER: Final = 0.5
"""Share of what was seen lately from which a new release has taken over; below it may be a canary or a straggler."""
ALL: Final = 0.95
"""Share from which everybody is served by an old release again."""
NEARBY: Final = timedelta(hours=2)
"""A deploy without a release name explains a release that appears up to this long after its start."""
FEWEST: Final = 20
"""Sightings in the window below which shares mean nothing."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A release in errors and sessions of one service and environment.

    `lately` counts sightings in the window that ends now: sessions where there are any, else errors.
    """

    release: str
    first_at: datetime
    last_at: datetime
    lately: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """A deploy somebody reported. `release` is empty where it was not named; `live_at` None while it runs."""

    release: str
    started_at: datetime
    live_at: datetime | None


class Finding(StrEnum):
    """What is wrong with the record."""

    UNREPORTED_DEPLOY = "unreported_deploy"
    UNREPORTED_ROLLBACK = "unreported_rollback"
    UNSEEN = "unseen"
    NAMED_DIFFERENTLY = "named_differently"


@dataclass(frozen=True, slots=True)
class Drift:
    """One finding. `at` is when the release took over, for the two unreported ones; `expected` what was reported live."""

    finding: Finding
    release: str
    at: datetime
    expected: str = ""

    @property
    def is_deploy(self) -> bool:
        """Something was deployed that nobody reported."""
        return self.finding in {Finding.UNREPORTED_DEPLOY, Finding.UNREPORTED_ROLLBACK}


def drift_of(sightings: Sequence[Sighting], recorded: Sequence[Recorded], *, now: datetime) -> Drift | None:
    """The drift of one service in one environment; None where record and sightings agree, or too little is known.

    At most one finding: an unreported deploy, once recorded, is no drift the next time.
    """
    seen = [each for each in sightings if each.release]
    total = sum(each.lately for each in seen)
    if not seen or total < FEWEST:
        return None
    top = max(seen, key=lambda each: (each.lately, each.last_at, each.release))
    share = top.lately / total
    named = [each for each in recorded if each.release]
    if named and not any(_is_recorded(each.release, named) for each in seen):
        return Drift(Finding.NAMED_DIFFERENTLY, top.release, top.first_at, expected=_newest(named).release)
    if _is_recorded(top.release, named):
        return _gone_back(top, share, seen, named, now)
    if any(not each.release and -GRACE <= top.first_at - each.started_at <= NEARBY for each in recorded):
        return None
    return _unreported(top, share, seen, named, now)


def _unreported(
    top: Sighting, share: float, seen: Sequence[Sighting], recorded: Sequence[Recorded], now: datetime
) -> Drift | None:
    """A deploy nobody reported, unless the release was there before, is older than what is live, or is too young."""
    watched_since = min(each.first_at for each in seen)
    was_there = top.first_at < watched_since + FIRST_DAY
    live = _live(recorded)
    is_old = live is not None and (top.first_at < live.started_at or is_older_version(top.release, live.release))
    if share < TAKEN_OVER or was_there or is_old or now - top.first_at < GRACE:
        return None
    return Drift(
        Finding.UNREPORTED_DEPLOY, top.release, top.first_at, expected=live.release if live is not None else ""
    )


def _gone_back(
    top: Sighting, share: float, seen: Sequence[Sighting], recorded: Sequence[Recorded], now: datetime
) -> Drift | None:
    """The release everybody uses was deployed, but another one later: gone back to, or that other never came."""
    live = _live(recorded)
    if live is None or live.live_at is None or is_same_version(top.release, live.release) or share < ALL:
        return None
    if now - live.live_at < GRACE or _is_running(recorded, after=live.live_at):
        return None
    after = [each for each in seen if is_same_version(each.release, live.release)]
    if not after:
        return Drift(Finding.UNSEEN, top.release, live.live_at, expected=live.release)
    last_at = max(each.last_at for each in after)
    if any(each.lately for each in after) or now - last_at < GRACE:
        return None
    return Drift(Finding.UNREPORTED_ROLLBACK, top.release, last_at, expected=live.release)


def _is_recorded(release: str, recorded: Sequence[Recorded]) -> bool:
    return any(is_same_version(release, each.release) for each in recorded)


def _is_running(recorded: Sequence[Recorded], *, after: datetime) -> bool:
    """Somebody is deploying at this moment; wait for the end."""
    return any(each.live_at is None and each.started_at >= after for each in recorded)


def _live(recorded: Sequence[Recorded]) -> Recorded | None:
    lives = [(each.live_at, each.release, each) for each in recorded if each.live_at is not None]
    return max(lives, key=lambda each: each[:2])[2] if lives else None


def _newest(recorded: Sequence[Recorded]) -> Recorded:
    return max(recorded, key=lambda each: (each.started_at, each.release))
