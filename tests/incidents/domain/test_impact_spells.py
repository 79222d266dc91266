from __future__ import annotations

import datetime as dt

import pytest

from incidents.domain.impact_spells import MOST, SpellsRefused, checked_spells, joined_spells, spells_told
from incidents.domain.incident_record import Spell
from tests.conftest import NOON


def at(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


def spell(start: float, end: float | None, share: float | None = None) -> Spell:
    return Spell(at(start), None if end is None else at(end), share)


def checked(*spells: Spell, restored: float | None = 60) -> list[Spell]:
    return checked_spells(spells, began_at=NOON, restored_at=None if restored is None else at(restored), now=at(90))


def test_spells_come_in_order() -> None:
    assert checked(spell(20, 60), spell(0, 10)) == [spell(0, 10), spell(20, 60)]
    assert checked(spell(0, 10), spell(20, None), restored=None) == [spell(0, 10), spell(20, None)]
    assert checked() == []


@pytest.mark.parametrize(
    ("spells", "restored", "reason"),
    [
        ([spell(10, 10)], 60, "ends after it begins"),
        ([spell(-1, 10)], 60, "before the impact"),
        ([spell(0, 61)], 60, "after the incident was restored"),
        ([spell(0, 95)], None, "has not come yet"),
        ([spell(0, None)], 60, "Only the last spell"),
        ([spell(0, None), spell(5, 6)], None, "Only the last spell"),
        ([spell(0, 20), spell(10, 30)], 60, "overlap"),
        ([spell(0, 20, 1.5)], 60, "share"),
        ([spell(n, n + 0.5) for n in range(MOST + 1)], 60, "at most"),
    ],
)
def test_what_cannot_be_is_refused(spells: list[Spell], restored: float | None, reason: str) -> None:
    with pytest.raises(SpellsRefused, match=reason):
        checked(*spells, restored=restored)


def test_two_incidents_that_are_one_hurt_whenever_either_did() -> None:
    assert joined_spells([spell(30, 40), spell(0, 10), spell(5, 20)]) == [spell(0, 20), spell(30, 40)]
    assert joined_spells([spell(0, 10, 0.5), spell(5, 20)]) == [spell(0, 10, 0.5), spell(5, 20)]
    assert joined_spells([spell(0, None), spell(5, 20)]) == [spell(0, None)]
    assert joined_spells([spell(0, 8), spell(5, None)]) == [spell(0, None)]


def test_an_incident_without_spells_hurt_from_start_to_end() -> None:
    told = [spell(0, 5)]

    assert spells_told(told, began_at=NOON, restored_at=at(9), degradation=None) == told
    assert spells_told([], began_at=NOON, restored_at=at(9), degradation=0.5) == [spell(0, 9, 0.5)]
