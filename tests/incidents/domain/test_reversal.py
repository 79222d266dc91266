"""Proof by reversal: what undid the change, and what is counted before and after."""

from __future__ import annotations

import pytest

from incidents.domain.attribution import attribute
from incidents.domain.case import Case
from incidents.domain.evidence import MINUTE, Change
from incidents.domain.reversal import Reversal, Window, reversal_of, reversal_words, window_after, window_before
from tests.incidents.domain.cases import ONSET, case, deploy, flag


def proof(of: Case, change: Change) -> Reversal | None:
    """With the terms that attribution gives the change."""
    weighed = next(w for w in attribute(of).ranked if w.change is not None and w.change.id == change.id)
    return reversal_of(of, change, weighed.terms)


def test_rolled_back() -> None:
    bad, back = deploy(-5), deploy(18, release="1.9", before="2.0")

    found = proof(case(changes=[bad, back], ended=20), bad)

    assert found == Reversal("rolled back", back.id, back.start, back.finish or 0)


def test_withdrawn_before_it_was_done() -> None:
    bad = deploy(-2, status="failure", finish=ONSET + 20 * MINUTE)

    assert proof(case(changes=[bad], ended=20), bad) == Reversal("withdrawn", bad.id, bad.finish or 0, bad.finish or 0)


@pytest.mark.parametrize(("new", "how"), [(0.0, "turned off"), (5.0, "set back")])
def test_flag_undone(new: float, how: str) -> None:
    bad, back = flag(-5, old=5.0), flag(20, old=50.0, new=new)

    assert proof(case(changes=[bad, back], ended=20), bad) == Reversal(how, back.id, back.start, back.start)


def test_a_flag_that_was_switched_off_and_is_on_again() -> None:
    bad, back = flag(-5, old=50.0, new=0.0), flag(20, old=0.0, new=50.0)

    assert proof(case(changes=[bad, back], ended=20), bad) == Reversal("set back", back.id, back.start, back.start)


def test_what_goes_on_proves_nothing() -> None:
    bad, back = deploy(-5), deploy(5, release="1.9", before="2.0")

    assert proof(case(changes=[bad, back]), bad) is None


def test_another_flag_or_service_undid_nothing() -> None:
    bad, other = deploy(-5), deploy(18, services=("db",), release="1.9")

    assert reversal_of(case(changes=[bad, other, flag(19)], ended=20), bad, {"rolled_back": 1.0}) is None


def test_going_further_undoes_nothing() -> None:
    bad, later = deploy(-5), deploy(18, release="2.1", before="2.0")
    half, whole = flag(-5, old=5.0, new=50.0), flag(20, old=50.0, new=100.0)

    assert reversal_of(case(changes=[bad, later], ended=20), bad, {"rolled_back": 1.0}) is None
    assert reversal_of(case(changes=[half, whole], ended=20), half, {"flag_undone": 1.0}) is None


def test_windows_are_whole_buckets() -> None:
    undone = Reversal("rolled back", "d", ONSET + 18 * MINUTE, ONSET + 22 * MINUTE)

    assert window_before(ONSET, undone) == Window(ONSET, ONSET + 15 * MINUTE, 15 * MINUTE)
    assert window_before(ONSET + 16 * MINUTE, undone) == Window(ONSET + 15 * MINUTE, ONSET + 20 * MINUTE, 4 * MINUTE)
    assert window_after(undone, ONSET + 29 * MINUTE) is None
    assert window_after(undone, ONSET + 37 * MINUTE) == Window(ONSET + 25 * MINUTE, ONSET + 35 * MINUTE, 10 * MINUTE)
    assert window_after(undone, ONSET + 900 * MINUTE) == Window(ONSET + 25 * MINUTE, ONSET + 55 * MINUTE, 30 * MINUTE)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"how": "rolled back", "before_errors": 3165, "before_seconds": 900, "after_errors": 0, "after_seconds": 1800},
            "It was rolled back as the errors stopped: 211 errors a minute before, none in the 30 min after.",
        ),
        (
            {"how": "turned off", "before_errors": 63, "before_seconds": 900, "after_errors": 2, "after_seconds": 600},
            "It was turned off as the errors stopped: 4.2 errors a minute before, 0.2 errors a minute in the 10 min after.",
        ),
        (
            {"how": "withdrawn", "before_errors": 4, "before_seconds": 1800, "after_errors": None, "after_seconds": None},
            "It was withdrawn as the errors stopped: 0.13 errors a minute before; what came after is still being counted.",
        ),
        ({"how": "set back"}, "It was set back as the errors stopped."),
    ],
)  # fmt: skip
def test_words(told: dict[str, object], words: str) -> None:
    assert reversal_words(told) == words
