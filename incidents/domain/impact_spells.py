"""Spells of impact as people write them down, and those of two incidents that are one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from incidents.domain.clocks import TOLERANCE
from incidents.domain.incident_record import Spell

MOST = 50


class SpellsRefused(ValueError):
    """Spells that cannot be; the message says why."""


def checked_spells(
    spells: Iterable[Spell], *, began_at: datetime, restored_at: datetime | None, now: datetime
) -> list[Spell]:
    """The spells in order of time. Raises SpellsRefused for one that ends before it begins, lies outside of
    [began_at, restored_at], overlaps another or lasts on although the incident is over.
    """
    ordered = sorted(spells, key=lambda spell: spell.from_at)
    if len(ordered) > MOST:
        raise SpellsRefused(f"An incident has at most {MOST} spells.")
    end = restored_at or now + TOLERANCE
    for place, spell in enumerate(ordered):
        following = ordered[place + 1] if place + 1 < len(ordered) else None
        if spell.to_at is not None and spell.to_at <= spell.from_at:
            raise SpellsRefused("A spell ends after it begins.")
        if spell.from_at < began_at:
            raise SpellsRefused("A spell cannot begin before the impact did: set that clock first.")
        if max(spell.from_at, spell.to_at or spell.from_at) > end:
            raise SpellsRefused(
                "A spell cannot go on after the incident was restored."
                if restored_at is not None
                else "A time of a spell has not come yet."
            )
        if spell.to_at is None and (restored_at is not None or following is not None):
            raise SpellsRefused("Only the last spell of an open incident has no end.")
        if following is not None and spell.to_at is not None and following.from_at < spell.to_at:
            raise SpellsRefused("Two spells overlap.")
        if spell.degradation is not None and not 0 <= spell.degradation <= 1:
            raise SpellsRefused("Give a share from 0 to 100 %.")
    return ordered


def joined_spells(spells: Iterable[Spell]) -> list[Spell]:
    """Spells of several incidents as those of one: in order, and one where two with the same share meet or overlap."""
    joined: list[Spell] = []
    for spell in sorted(spells, key=lambda spell: spell.from_at):
        last = joined[-1] if joined else None
        if (
            last is None
            or last.degradation != spell.degradation
            or (last.to_at is not None and last.to_at < spell.from_at)
        ):
            joined.append(spell)
            continue
        until = None if last.to_at is None or spell.to_at is None else max(last.to_at, spell.to_at)
        joined[-1] = Spell(last.from_at, until, last.degradation)
    return joined


def spells_told(
    told: Sequence[Spell], *, began_at: datetime, restored_at: datetime | None, degradation: float | None
) -> list[Spell]:
    """The spells of an incident, one over its whole length where it tells none."""
    return list(told) or [Spell(began_at, restored_at, degradation)]
