"""The clocks the machine sets on an incident, and by how much a sender's clock is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from incidents.domain.detection import Rule, quiet_after
from incidents.domain.evidence import Episode, Outage
from incidents.domain.grouping import Group

OFFSET_FLOOR = 30.0
"""Seconds: a smaller median difference is network and queueing, not a wrong clock."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which it hurt: [start, end); ``end`` None while it goes on."""

    start: float
    end: float | None


def clock_offset(delays: Sequence[float]) -> float:
    """By how many seconds a sender's clock is ahead (+) or behind (−), from ``timestamp − received`` of its events.

    The median is blind to the few events that were sent hours late. Fewer than three say nothing.
    """
    if len(delays) < 3:
        return 0.0
    middle = sorted(delays)[len(delays) // 2]
    return middle if abs(middle) >= OFFSET_FLOOR else 0.0


def _stretches(group: Group, rule: Rule) -> list[tuple[float, float, bool, float]]:
    """(start, last evidence, still failing, quiet seconds that end it) of every piece of evidence."""
    found: list[tuple[float, float, bool, float]] = []
    for episode in group.episodes:
        found += _pieces(episode, rule)
    for outage in group.outages:
        found.append(_down(outage))
    return sorted(found)


def _pieces(episode: Episode, rule: Rule) -> list[tuple[float, float, bool, float]]:
    quiet = quiet_after(episode.gap, rule)
    times = sorted(
        {episode.start, *(s.at for s in episode.sightings if episode.start <= s.at <= episode.end), episode.end}
    )
    complete = len(episode.sightings) >= episode.count
    pieces: list[list[float]] = [[times[0], times[0]]]
    for at in times[1:]:
        if at - pieces[-1][1] > quiet and complete:
            pieces.append([at, at])
        else:
            pieces[-1][1] = at
    return [(a, b, False, quiet) for a, b in pieces]


def _down(outage: Outage) -> tuple[float, float, bool, float]:
    if outage.end is None:
        return outage.start, outage.last_failed, True, 0.0
    return outage.start, outage.end, False, 0.0


def spells(group: Group, now: float, rule: Rule) -> list[Spell]:
    """When it hurt, in order and disjoint. The last spell is open while checks fail or it has not been quiet long enough.

    A spell ends with the first good check, or with the last event once it has been quiet for the issue's quiet time.
    """
    merged: list[list[float]] = []
    still = False
    open_until = 0.0
    for start, last, failing, quiet in _stretches(group, rule):
        if merged and start <= max(merged[-1][1], merged[-1][2]):
            merged[-1][1] = max(merged[-1][1], last)
            merged[-1][2] = max(merged[-1][2], last + quiet)
        else:
            merged.append([start, last, last + quiet])
        still = still or failing
        open_until = max(open_until, last + quiet)
    found = [Spell(start, last) for start, last, _ in merged]
    if still or now < open_until:
        found[-1] = Spell(found[-1].start, None)
    return found


def due_at(group: Group, now: float, rule: Rule) -> float | None:
    """When the quiet time will be over if nothing more happens; None when it is over, or when only a check can end it."""
    if any(o.end is None for o in group.outages):
        return None
    until = max([e.end + quiet_after(e.gap, rule) for e in group.episodes] + [o.last_failed for o in group.outages])
    return until if until > now else None
