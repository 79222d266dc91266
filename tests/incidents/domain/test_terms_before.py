"""Terms on what was before the onset: what had been taken back, what had been well for long, who had had a flag."""

from __future__ import annotations

import math

import pytest

from incidents.domain import terms_code, terms_ending, terms_exposure, terms_place, terms_time
from incidents.domain.case import Case, Term
from incidents.domain.evidence import MINUTE, Change, TrafficPoint, breadth_of, in_effect, releases_before
from incidents.domain.grouping import pair_features
from tests.incidents.domain.cases import ONSET, SERVICES, case, deploy, episode, flag, issue, outage, replace, sighting


def names(terms: list[Term]) -> set[str]:
    """The names of terms."""
    return {term.name for term in terms}


def step(minute: float, release: str, before: str, **fields: object) -> Change:
    """One deploy of shop."""
    return deploy(minute, id=release + f"{minute:g}", release=release, before=before, **fields)


# -- what ran -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deploys", "ran"),
    [
        ([step(-90, "2", "1"), step(-60, "3", "2")], ["2", "3"]),
        ([step(-90, "2", "1"), step(-60, "3", "2"), step(-30, "2", "3")], ["2"]),
        ([step(-90, "2", "1"), step(-60, "1", "2")], []),
        ([step(-90, "2", "1"), step(-60, "2", "2")], ["2"]),
        ([step(-90, "2", "1"), step(-60, "3", "2", status="failure")], ["2"]),
        ([step(-90, "2", "1"), step(-60, "m", "2", strategy="migration"), step(-30, "1", "2")], ["m"]),
        ([step(-90, "2", "1"), step(-60, "", "2")], ["2", ""]),
    ],
)
def test_what_was_taken_back_does_not_run(deploys: list[Change], ran: list[str]) -> None:
    assert [each.release for each in in_effect(deploys, ONSET)] == ran


def test_a_failed_deploy_runs_until_it_is_withdrawn() -> None:
    failed = step(-3, "3", "2", status="failure", finish=ONSET + MINUTE)

    assert in_effect([failed], ONSET) == (failed,)


def test_a_migration_told_by_its_files_leaves_the_release_as_it_was() -> None:
    migration = deploy(-60, id="m", release="schema-7", files=("shop/migrations/0007.sql",))
    after = deploy(-30, id="a", release="2.1")

    assert releases_before([deploy(-90, id="b"), migration, after])["a"] == "2.0"


def test_what_was_rolled_back_before_the_onset_is_not_to_blame() -> None:
    bad, back = step(-90, "3", "2"), step(-40, "2", "3")
    of = case(changes=[step(-200, "2", "1"), bad, back])

    assert names(terms_place.undone(of, bad)) == {"undone_before"}
    assert terms_place.undone(of, back) == []
    assert terms_place.undone(of, step(-200, "2", "1")) == []
    assert "newer_between" not in names(terms_place.sequence(of, step(-200, "2", "1")))


def test_what_is_taken_back_at_the_onset_may_still_be_to_blame() -> None:
    bad = step(-30, "3", "2")
    of = case(changes=[bad, step(-2, "2", "3")])

    assert terms_place.undone(of, bad) == []


def test_a_flag_that_was_put_back_before_the_onset_is_not_to_blame() -> None:
    up, down = flag(-60), flag(-20, id="down", old=50.0, new=0.0)
    of = case(changes=[up, down])

    assert names(terms_place.undone(of, up)) == {"flag_undone_before"}
    assert terms_place.undone(of, down) == []


# -- how long it was well -------------------------------------------------------------------------------------------


def test_an_error_that_hits_everybody_would_have_shown_before() -> None:
    of = case(episode(minutes=18, count=10))
    late = deploy(-36)

    assert terms_time.silence(of, late) == [
        Term("silence", math.log(32 / 2), "errors come every 2 min, but for 32 min there was none")
    ]
    assert terms_time.silence(of, deploy(-5)) == []
    assert names(terms_time.silence(of, flag(-36))) == {"silence"}


def test_waiting_says_nothing_where_few_are_hit_or_something_fills_up() -> None:
    same = [sighting(2 * n, user="u1") for n in range(10)]
    full = episode(issue(type="MemoryError", text="out of memory"))

    assert terms_time.silence(case(episode(sightings=same)), deploy(-36)) == []
    assert terms_time.silence(case(full), deploy(-36)) == []
    assert case(episode(sightings=same[:3])).breadth == 0.0


def test_checks_that_were_good_for_long_after_a_deploy_speak_for_it() -> None:
    of = case(outages=[outage()])

    assert names(terms_time.silence(of, deploy(-30))) == {"calm_checks"}
    assert terms_time.silence(of, deploy(-4)) == []


def test_what_begins_after_several_errors_did_not_cause_them() -> None:
    of = case(episode(sightings=[sighting(n / 2) for n in range(10)]))

    assert names(terms_time.delay(of, deploy(1.9))) >= {"already_failing"}
    assert "already_failing" not in names(terms_time.delay(of, deploy(0.1)))


def test_a_single_user_hits_a_change_late_only_where_it_touched_what_fails() -> None:
    same = episode(sightings=[sighting(2 * n, user="u1") for n in range(10)])
    touching, other = deploy(-300, files=("src/shop/pay.py",)), deploy(-300)

    assert "late_one_user" in names(terms_time.lateness(case(same), touching))
    assert "late_one_user" not in names(terms_time.lateness(case(same), other))
    assert "late_one_user" in names(terms_time.lateness(case(same), deploy(-100)))


# -- what the errors are about --------------------------------------------------------------------------------------


def test_the_owner_of_an_expired_certificate_is_not_blamed_for_being_named() -> None:
    expired = issue(type="SSLError", text="certificate has expired (host db.internal)", hosts=("db.internal",))
    change = deploy(-3, services=("db",))

    assert names(terms_place.place(case(episode(expired), changes=[change]), change)) & {"named", "root"} == set()


def test_a_call_that_somebody_else_does_not_answer_fails_wherever_it_is_made() -> None:
    remote = issue(text="https://api.cards.example timed out", hosts=("api.cards.example",))
    change = deploy(-300, files=("src/shop/pay.py",))

    assert "file_remote_late" in names(terms_code.files(case(episode(remote), changes=[change]), change))
    assert "file_inner_late" in names(terms_code.files(case(changes=[change]), change))


# -- who had the flag -----------------------------------------------------------------------------------------------


def past(change: Change, *others: Change) -> set[str]:
    """The terms on a flag's past."""
    told = {"flag_had", "flag_was_there", "flag_first"}
    return names(terms_exposure.flag(case(changes=[*others, change]), change)) & told


def test_a_flag_is_judged_by_who_had_it_before() -> None:
    assert past(flag()) == {"flag_first"}
    assert past(flag(old=50.0, new=100.0)) == {"flag_had"}
    assert past(flag(), flag(-500, new=50.0), flag(-300, old=50.0, new=0.0)) == {"flag_was_there"}
    assert past(flag(old=100.0, new=0.0)) == {"flag_first"}
    assert past(flag(old=None)) == past(flag(segment={"country": "DE"})) == set()


def test_a_flag_that_the_failing_code_never_evaluates_is_cleared() -> None:
    seen = episode(sightings=[sighting(n, flags={"other": True}) for n in range(4)])
    known = episode(sightings=[sighting(n, flags={"fast-pay": True}) for n in range(4)])

    assert "flag_not_evaluated" in names(terms_exposure.flag(case(seen), flag()))
    assert "flag_not_evaluated" not in names(terms_exposure.flag(case(known), flag()))


# -- who ran it -----------------------------------------------------------------------------------------------------


def test_counts_over_a_quarter_of_an_hour_do_not_measure_a_roll_out_of_four_minutes() -> None:
    change = deploy(0, finish=ONSET + 4 * MINUTE)
    traffic = {"shop": [TrafficPoint(ONSET - 600, 900, 500, "1.9")]}

    def share(of: Case, change: Change) -> float:
        return terms_exposure.share_on(of, change, ONSET + 2 * MINUTE)

    assert share(case(changes=[change], traffic=traffic), change) == 0.5
    slow = deploy(0, finish=ONSET + 40 * MINUTE)
    assert share(case(changes=[slow], traffic=traffic), slow) == 0.01


# -- how it ended ---------------------------------------------------------------------------------------------------


def ended(change: Change, *others: Change, **fields: object) -> set[str]:
    """The term on an end that nobody brought about, twenty minutes after the onset."""
    of = case(episode(**fields), changes=[change, *others], ended=20)
    return names(terms_ending.lasting(of, change))


def test_broken_code_does_not_mend_itself() -> None:
    assert ended(deploy(-5)) == {"ended_unaided"}
    assert ended(deploy(-5), deploy(18, id="fix", release="2.1", before="2.0")) == set()
    assert ended(deploy(-5), deploy(-300, id="older", release="1.9")) == {"ended_unaided"}
    assert ended(flag(-5)) == {"ended_unaided"}
    assert ended(flag(-5), flag(20, id="off", old=50.0, new=0.0)) == set()
    assert ended(flag(-5), deploy(19, id="fix", release="2.1")) == set()


def test_what_leaves_or_passes_by_itself_may_end_unaided() -> None:
    same = [sighting(2 * n, user="u1") for n in range(10)]

    assert ended(deploy(-5, status="failure")) == set()
    assert ended(deploy(-5, finish=ONSET + 21 * MINUTE)) == set()
    assert ended(deploy(-5), sightings=same) == set()
    assert terms_ending.lasting(case(changes=[deploy(-5)]), deploy(-5)) == []


def test_a_rollback_in_vain_weighs_more_the_more_errors_came_after() -> None:
    bad, back = deploy(-30), deploy(-1, id="back", release="1.9", before="2.0")

    def value(minutes: float) -> float:
        of = case(episode(minutes=minutes, count=int(minutes) + 1), changes=[bad, replace(back, start=ONSET + MINUTE)])
        return next(t.value for t in terms_ending.ending(of, bad) if t.name == "rolled_back_in_vain")

    assert 1.0 < value(10) < value(20) < 2.0


# -- one fault or two -----------------------------------------------------------------------------------------------


def test_breadth_tells_a_few_users_from_everybody() -> None:
    assert breadth_of(["a", "b", "c", "d"]) == 1.0
    assert breadth_of(["a", "a", "a", "a", ""]) == 0.0
    assert breadth_of(["a", "b", "c"]) is None


def test_what_hits_one_user_and_what_hits_everybody_are_hardly_one_fault() -> None:
    one, many, unknown = (episode(issue(key=f"k{n}"), breadth=b) for n, b in enumerate((0.0, 1.0, None)))

    assert pair_features(one, many, SERVICES)["breadth_apart"] == 1.0
    assert "breadth_apart" not in pair_features(one, unknown, SERVICES)
