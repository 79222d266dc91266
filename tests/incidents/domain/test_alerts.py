from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.alerts import ACKNOWLEDGED, DETECTED, RESOLVED, Alarm, Word, alarms

words = st.lists(
    st.builds(Word, st.sampled_from([DETECTED, ACKNOWLEDGED, RESOLVED]), st.integers(0, 20).map(float)), max_size=12
)


def test_an_alert_fires_until_it_ends_and_may_fire_again() -> None:
    said = [
        Word(DETECTED, 10), Word(ACKNOWLEDGED, 12), Word(DETECTED, 15), Word(ACKNOWLEDGED, 16), Word(RESOLVED, 20),
        Word(DETECTED, 30),
    ]  # fmt: skip

    assert alarms(said) == [Alarm(10, 20, 12), Alarm(30, None)]


def test_what_never_began_does_not_end() -> None:
    assert alarms([Word(RESOLVED, 5), Word(ACKNOWLEDGED, 6)]) == []
    assert alarms([Word(RESOLVED, 5), Word(DETECTED, 7)]) == [Alarm(7, None)]


def test_at_one_instant_it_begins_before_it_ends() -> None:
    assert alarms([Word(RESOLVED, 5), Word(DETECTED, 5)]) == [Alarm(5, 5)]


@given(words, st.randoms())
def test_neither_order_nor_repetition_matters(said: Sequence[Word], random: Random) -> None:
    shuffled = [*said, *said]
    random.shuffle(shuffled)

    assert alarms(shuffled) == alarms(said)


@given(words)
def test_alarms_are_in_order_and_apart(said: Sequence[Word]) -> None:
    found = alarms(said)

    assert all(one.end is not None and one.end <= other.start for one, other in pairwise(found))
    assert all(each.end is None or each.start <= each.end for each in found)
    assert all(each.looked_at is None or each.looked_at >= each.start for each in found)
