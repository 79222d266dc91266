from __future__ import annotations

import itertools

from incidents.domain.detection import Rule
from incidents.domain.evidence import MINUTE
from incidents.domain.grouping import (
    Group,
    Symptom,
    groups,
    last_of,
    link_score,
    may_link,
    pair_features,
    pause_between,
)
from tests.incidents.domain.cases import ONSET, SERVICES, episode, issue, outage

RULE = Rule()


def sizes(*symptoms: Symptom) -> list[int]:
    """How many symptoms each incident has."""
    return [len(g.episodes) + len(g.outages) for g in groups(symptoms, SERVICES, RULE)]


def test_a_second_symptom_of_one_service_belongs_to_the_first() -> None:
    second = episode(issue(key="k2", text="'owner'", places=("shop/views.py in get",)), start=1)

    assert sizes(episode(), second) == [2]


def test_hours_apart_are_two_incidents() -> None:
    assert sizes(episode(), episode(issue(key="k2"), start=300)) == [1, 1]


def test_two_faults_that_overlap_in_unrelated_services_stay_two() -> None:
    other = episode(issue(key="k2", service="mail", text="bad template", type="ValueError", places=()), start=18)

    assert sizes(episode(), other) == [1, 1]


def test_a_caller_that_names_the_failing_service_joins_it() -> None:
    caller = episode(
        issue(key="k2", service="edge", text="502 from shop", hosts=("shop.internal",), places=()), start=2
    )

    assert sizes(episode(), caller) == [2]


def test_services_that_fail_at_one_foreign_host_at_one_time_are_one() -> None:
    one = episode(issue(text="connect to api.pay.example failed", hosts=("api.pay.example",)))
    other = episode(
        issue(key="k2", service="mail", text="read from api.pay.example", hosts=("api.pay.example",)), start=1
    )

    assert sizes(one, other) == [2]


def test_failed_checks_join_the_errors_of_their_service() -> None:
    assert sizes(episode(), outage(2, 9)) == [2]
    assert sizes(episode(), outage(2, 9), outage(300, 305)) == [2, 1]


def test_a_day_apart_is_not_even_asked() -> None:
    asked = []

    def score(one: Symptom, other: Symptom, _: object) -> float:
        asked.append((one.start, other.start))
        return 1.0

    lasting, soon = episode(gap=24 * 60 * MINUTE), episode(issue(key="k2"), start=700)
    found = groups([lasting, soon, episode(issue(key="k3"), start=1_500)], SERVICES, RULE, score)

    assert asked == [(ONSET, ONSET + 700 * MINUTE)]
    assert [len(group.episodes) for group in found] == [2, 1]


def test_one_weak_bridge_does_not_chain_two_faults() -> None:
    scores = {("k1", "k2"): 3.0, ("k2", "k3"): 1.0, ("k1", "k3"): -2.0}

    def score(one: Symptom, other: Symptom, _: object) -> float:
        return scores[one.key.split("|")[1], other.key.split("|")[1]]

    members = [episode(issue(key=f"k{n}"), start=n) for n in (1, 2, 3)]

    assert [group.keys for group in groups(members, SERVICES, RULE, score)] == [
        {"shop|k1", "shop|k2"},
        {"shop|k3"},
    ]


def test_groups_do_not_depend_on_the_order() -> None:
    members: list[Symptom] = [
        episode(),
        episode(issue(key="k2"), start=3),
        episode(issue(key="k3", service="mail"), start=200),
        outage(1, 4),
    ]
    expected = groups(members, SERVICES, RULE)

    assert all(groups(list(order), SERVICES, RULE) == expected for order in itertools.permutations(members))


def test_a_group_knows_its_beginning_its_end_and_its_services() -> None:
    edge = episode(issue(key="k2", service="edge"), start=1, count=3, minutes=30)
    group = Group((episode(), edge), (outage(-1, 9, "db"),))

    assert group.start == ONSET - MINUTE
    assert group.last == ONSET + 31 * MINUTE
    assert group.met_at == ONSET
    assert group.services == ("shop", "edge", "db")
    assert len(group.keys) == 3


def test_pairs_far_apart_are_not_asked() -> None:
    first, late = episode(), episode(issue(key="k2"), start=90)

    assert pause_between(first, late) == 70 * MINUTE
    assert not may_link(first, late, RULE)
    assert may_link(first, episode(issue(key="k2"), start=90, gap=20 * MINUTE), RULE)
    assert last_of(outage(0, 5)) == ONSET + 4 * MINUTE


def test_features_tell_relations_apart() -> None:
    far = pair_features(outage(0, 5, "edge"), outage(0, 5, "db"), SERVICES)
    near = pair_features(outage(0, 5, "shop"), outage(0, 5, "db"), SERVICES)
    none = pair_features(outage(0, 5, "mail"), outage(0, 5, "db"), SERVICES)

    assert ("linked_far" in far, "linked" in near, "unlinked_near" in none) == (True, True, True)
    assert link_score(outage(0, 5, "shop"), outage(0, 5, "db"), SERVICES) > link_score(
        outage(0, 5, "mail"), outage(0, 5, "db"), SERVICES
    )
