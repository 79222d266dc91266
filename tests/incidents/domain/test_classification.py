from __future__ import annotations

from dataclasses import replace

from incidents.domain.classification import Class, classify
from incidents.domain.evidence import ServiceFacts
from incidents.domain.grouping import Group
from tests.incidents.domain.cases import DB, SHOP, episode, issue, outage, sighting


def of_users(*users: str) -> Group:
    """An incident whose events name these users."""
    return Group((episode(sightings=[sighting(n, user=user) for n, user in enumerate(users)]),), ())


def of_sessions(*sessions: str, from_request: bool = True) -> Group:
    """An incident whose events name these sessions and no user."""
    seen = [sighting(n, user="", session=session) for n, session in enumerate(sessions)]
    return Group((episode(issue(is_from_request=from_request), sightings=seen),), ())


def test_failed_checks_are_downtime_whoever_was_hit() -> None:
    group = Group((episode(),), (outage(),))

    assert classify(group, [SHOP]) == Class("downtime", 10, "consecutive failed checks of shop; 10 users in its errors")


def test_the_word_of_an_alert_source_is_downtime_where_it_says_so() -> None:
    seen = of_users("a").episodes
    down, slow = (replace(outage(), alert="a1", says_down=says) for says in (True, False))

    assert classify(Group(seen, (down,)), [SHOP]) == Class(
        "downtime", 1, "an alert source says it is down; 1 user in its errors"
    )
    assert classify(Group(seen, (slow,)), [SHOP]).name == "single_user"
    alone = Class("impactless", 0, "an alert says so; no user was seen to be hit")
    assert classify(Group((), (slow,)), [ServiceFacts("shop")]) == alone
    assert classify(Group((), (slow,)), [ServiceFacts("shop", reports_users=True)]) == alone
    assert classify(Group((), (down,)), [SHOP]).note == "an alert source says it is down; no error was reported"


def test_people_are_counted_once() -> None:
    assert classify(of_users("a", "b", "a"), [SHOP]) == Class("multi_user", 2, "2 distinct users in its errors")
    assert classify(of_users("a", "a", ""), [SHOP]) == Class("single_user", 1, "1 distinct user in its errors")


def test_exact_counts_beat_the_sample() -> None:
    many = Group((episode(sightings=[sighting(0, user="a")], users=700),), ())

    assert classify(many, [SHOP]).users == 700


def test_nobody_where_people_are_usual_is_impactless() -> None:
    note = "no user in its errors, though the service reports users on others"

    assert classify(of_users("", ""), [SHOP, DB]) == Class("impactless", 0, note)


def test_nobody_behind_a_job_is_impactless() -> None:
    assert classify(of_sessions("s1", "s2", from_request=False), [DB]) == Class(
        "impactless", 0, "its errors come from no request"
    )


def test_sessions_stand_for_people_who_are_not_reported() -> None:
    silent = [ServiceFacts("shop")]

    assert classify(of_sessions("s1", "s2"), silent).name == "multi_user"
    assert classify(of_sessions("s1", "s1"), silent).name == "single_user"
    assert classify(of_sessions("", ""), silent) == Class("impactless", 0, "users not reported")
