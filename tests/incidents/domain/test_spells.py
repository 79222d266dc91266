from __future__ import annotations

from incidents.domain.detection import Rule
from incidents.domain.evidence import MINUTE
from incidents.domain.grouping import Group
from incidents.domain.spells import Spell, clock_offset, due_at, spells
from tests.incidents.domain.cases import ONSET, episode, issue, outage, sighting

RULE = Rule()


def at(minute: float) -> float:
    """The instant so many minutes after the onset."""
    return ONSET + minute * MINUTE


def test_errors_go_on_until_they_have_been_quiet() -> None:
    group = Group((episode(minutes=20),), ())

    assert spells(group, at(30), RULE) == [Spell(at(0), None)]
    assert due_at(group, at(30), RULE) == at(35)
    assert spells(group, at(36), RULE) == [Spell(at(0), at(20))]
    assert due_at(group, at(36), RULE) is None


def test_an_outage_ends_with_the_first_good_check() -> None:
    assert spells(Group((), (outage(0, 5),)), at(5), RULE) == [Spell(at(0), at(5))]
    assert spells(Group((), (outage(0, None),)), at(500), RULE) == [Spell(at(0), None)]
    assert due_at(Group((), (outage(0, None),)), at(2), RULE) is None


def test_errors_during_an_outage_last_as_long_as_the_longer() -> None:
    group = Group((episode(minutes=20),), (outage(1, 9),))

    assert spells(group, at(60), RULE) == [Spell(at(0), at(20))]


def test_a_pause_makes_a_second_spell() -> None:
    seen = [sighting(m) for m in (0, 1, 2, 40, 41)]
    group = Group((episode(sightings=seen, minutes=41, count=5),), ())

    assert spells(group, at(90), RULE) == [Spell(at(0), at(2)), Spell(at(40), at(41))]


def test_a_sample_of_many_events_says_nothing_about_pauses() -> None:
    seen = [sighting(m) for m in (0, 1, 2, 40, 41)]
    group = Group((episode(sightings=seen, minutes=41, count=500),), ())

    assert spells(group, at(90), RULE) == [Spell(at(0), at(41))]


def test_two_issues_that_follow_each_other_closely_are_one_spell() -> None:
    group = Group((episode(minutes=20), episode(issue(key="k2"), start=30)), ())

    assert spells(group, at(90), RULE) == [Spell(at(0), at(50))]


def test_the_offset_of_a_clock_is_the_median_of_what_it_is_off() -> None:
    assert clock_offset([-300, -302, -299, -7000]) == -300
    assert clock_offset([-1, -2, -3, -9000]) == 0.0
    assert clock_offset([-300, -300]) == 0.0
