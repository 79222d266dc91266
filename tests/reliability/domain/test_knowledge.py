"""What is derived of a history of which only a part was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploys.domain.deploy_facts import DeployKind, Outcome
from reliability.domain.history import Excerpt
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Excuses
from tests.reliability.domain.test_beside import deploy, incident, known


def at(hour: int) -> datetime:
    return datetime(2026, 3, 3, hour, tzinfo=UTC)


WALK = Interval(datetime(2026, 3, 3, 7, tzinfo=UTC), datetime(2026, 3, 3, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("causes", "condemned"),
    [
        ([], ["d2"]),
        (
            [{"kind": "deploy", "id": "d1", "status": "confirmed"}],
            [],
        ),  # a person has said who did it: not the one undone
    ],
)
def test_a_rollback_behind_the_part_condemns_unless_it_ended_an_explained_incident(
    causes: list[dict[str, Any]], condemned: list[str]
) -> None:
    lines = [deploy("d1", 8, "1"), deploy("d2", 9, "2"), deploy("d3", 12, "1"), incident("a", 10, "d3", causes=causes)]
    part = known(lines)
    part.history.excerpt = Excerpt(WALK, kinds={"d3": DeployKind.ROLLBACK}, later=(("d3", ("d2",)),))

    assert list(part.condemned) == condemned


def test_somebody_who_goes_back_condemns_the_first_new_version_and_suspects_the_others() -> None:
    lines = [deploy("d1", 8, "1"), deploy("d2", 9, "2"), deploy("d3", 10, "3"), deploy("d4", 11, "1")]

    found = known(lines)

    assert (list(found.failures), found.suspected_ids) == (["d2"], {"d3"})
    assert found.failures["d2"].recovered_at == at(11)
    assert found.failures["d2"].begun_at == at(9)
    assert found.deploys["d4"].kind is DeployKind.ROLLBACK


@pytest.mark.parametrize(
    ("causes", "failed", "suspected"),
    [
        ([{"kind": "deploy", "id": "d3"}], ["d3"], set()),
        ([{"kind": "deploy", "id": "d3", "status": "suggested"}], ["d2"], {"d3"}),
        ([{"kind": "external"}], [], set()),
        ([], ["d2"], {"d3"}),
    ],
)
def test_the_verdict_on_an_incident_stands_before_what_its_rollback_says(
    causes: list[dict[str, Any]], failed: list[str], suspected: set[str]
) -> None:
    lines = [deploy("d1", 8, "1"), deploy("d2", 9, "2"), deploy("d3", 10, "3"), deploy("d4", 13, "1")]

    found = known([*lines, incident("i", 60, "d4", causes=causes)])

    assert (list(found.failures), found.suspected_ids) == (failed, suspected)


@pytest.mark.parametrize(
    ("more", "remedies", "is_failed"),
    [
        ({"class": "multi_user"}, (), True),
        ({"class": "single_user"}, (), False),
        ({"class": "impactless"}, ("d2",), True),
        ({"dismissed": True}, (), False),
        ({"duplicate_of": "j"}, (), False),
        ({"environment": "staging"}, (), False),
    ],
)
def test_only_incidents_that_count_make_a_failure(
    more: dict[str, Any], remedies: tuple[str, ...], is_failed: bool
) -> None:
    causes = [{"kind": "deploy", "id": "d1"}]

    found = known([deploy("d1", 8, "1"), deploy("d2", 13, "2"), incident("i", 60, *remedies, causes=causes, **more)])

    assert list(found.failures) == (["d1"] if is_failed else [])
    assert (("deploy", "d1") in found.caused) is is_failed


def test_a_failure_begins_with_its_first_incident_and_lasts_to_the_end_of_the_last() -> None:
    causes = [{"kind": "deploy", "id": "d1"}, {"kind": "deploy", "id": "d1"}]
    later = {"started_at": at(14).isoformat(), "restored_at": at(15).isoformat()}
    lines = [deploy("d1", 8, "1"), incident("b", 0, causes=causes, **later), incident("a", 60, causes=causes)]

    failure = known(lines).failures["d1"]

    assert (failure.begun_at, failure.recovered_at, failure.is_end_unknown) == (at(12), at(15), False)
    assert len(known(lines).caused["deploy", "d1"]) == 2
    still = known([*lines, incident("c", 0, causes=causes, restored_at=None)]).failures["d1"]
    assert (still.recovered_at, still.is_end_unknown) == (None, False)


def test_a_roll_out_that_failed_recovers_when_it_ended() -> None:
    name, payload = deploy("d1", 8, "1")
    failed = payload | {"status": "failure", "live_at": payload["started_at"], "finished_at": at(9).isoformat()}

    failure = known([(name, failed)]).failures["d1"]

    assert (failure.live_at, failure.begun_at, failure.recovered_at) == (at(8), at(8), at(9))
    assert not failure.is_end_unknown
    without_end = known([(name, {**failed, "finished_at": None})]).failures["d1"]
    assert (without_end.recovered_at, without_end.is_end_unknown) == (None, True)
    assert known([(name, {**failed, "live_at": None})]).failures == {}


def test_a_deploy_was_live_from_its_first_harm_on() -> None:
    name, payload = deploy("d1", 8, "1")
    slow = payload | {"finished_at": at(14).isoformat()}
    causes = [{"kind": "deploy", "id": "d1"}]
    second = {"started_at": at(13).isoformat(), "restored_at": at(15).isoformat()}

    found = known([(name, slow), incident("b", 60, causes=causes), incident("a", 0, causes=causes, **second)])

    assert found.deploys["d1"].live_at == at(12)
    assert [case.incident.id for case in found.incidents] == ["b", "a"]


def test_incidents_that_begin_together_are_in_order_of_their_names() -> None:
    found = known([incident("b", 1), incident("a", 2)])

    assert [case.incident.id for case in found.incidents] == ["a", "b"]
    assert list(found.incident_by_id) == ["a", "b"]
    assert [case.incident.id for case in found.incidents_of["shop"]] == ["a", "b"]


def test_a_remedy_is_one_of_its_kind() -> None:
    found = known([deploy("d1", 8, "1"), deploy("f2", 13, "2"), incident("i", 60, "f2")])

    assert (found.remedy_ids("deploy"), found.remedy_ids("flag")) == (set(), {"f2"})
    assert found.deploys["f2"].kind is DeployKind.FORWARD


def test_a_flag_change_that_hurt_is_named_whatever_the_class() -> None:
    links = [{"kind": "flag", "id": "f1"}, {"kind": "flag", "id": "f2", "status": "suggested"}]

    found = known([incident("i", 60, causes=links, **{"class": "impactless"})])

    assert found.harmful_flag_change_ids == {"f1"}
    assert found.caused == {}


def test_only_new_versions_that_are_known_are_suspected() -> None:
    again = deploy("r", 9, "1")
    names = ("d1", "r", "unknown")
    links = [{"kind": "deploy", "id": name, "status": "suggested"} for name in names]

    found = known([deploy("d1", 8, "1"), again, incident("i", 60, causes=links)])

    assert found.suspected_ids == {"d1"}


def test_changes_are_blamed_by_kind_and_name() -> None:
    links = [{"kind": "deploy", "id": "d1"}, {"kind": "flag", "id": "f1"}, {"kind": "external"}, {"kind": "deploy"}]

    found = known([deploy("d1", 8, "1"), incident("i", 60, causes=links)])

    assert found.caused.keys() == {("deploy", "d1"), ("flag", "f1")}


def test_a_commit_is_delivered_once_to_each_service_by_deploys_that_succeeded() -> None:
    kind, payload = deploy("d2", 9, "1")
    failed = (kind, {**payload, "id": "d0", "status": "failure", "live_at": at(7).isoformat()})
    other = (kind, {**payload, "service": "api"})
    commit = ("change", {"sha": "c", "committed_at": at(6).isoformat(), "deploys": ["x", "d0", "d3", "d2", "d1"]})

    found = known([failed, deploy("d1", 10, "1"), other, deploy("d3", 11, "3"), commit])

    assert found.first_lives_of(None) == [(at(6), at(9))]
    assert found.first_lives_of("shop") == [(at(6), at(10))]
    assert found.first_lives_of("api") == [(at(6), at(9))]
    assert found.first_lives_of("nobody") == []
    assert [len(found.deploys_of[name]) for name in (None, "shop", "api")] == [4, 3, 1]


def slot(name: str, hour: int, **more: Any) -> tuple[str, dict[str, Any]]:  # Any: JSON
    return "maintenance", {"id": name, "starts_at": at(hour).isoformat(), "ends_at": at(hour + 1).isoformat(), **more}


def test_slots_excuse_whom_they_name_as_they_were_announced() -> None:
    announced = {"announced_at": "2026-03-01T00:00:00Z"}
    lines = [
        slot("a", 1, **announced), slot("b", 3, excused_by="kim"), slot("c", 5, services=["api"], **announced),
        slot("d", 7, announced_at=at(6).isoformat()), slot("e", 9, cancelled=True, **announced),
        ("service", {"service": "shop"}), ("service", {"service": "api"}),
    ]  # fmt: skip

    found = known(lines)

    starts = [
        [each.start.hour for each in found.excused(name, mode)]
        for name in ("shop", "api")
        for mode in (Excuses.ANNOUNCED, Excuses.ALSO_LATE, Excuses.NONE)
    ]
    assert starts == [[1], [1, 3], [], [1, 5], [1, 3, 5], []]
    day = Interval(at(0), at(23))
    assert [found.timeline("shop", mode).measure(day).excused // 3_600_000_000 for mode in Excuses] == [1, 2, 0]
    assert found.timeline(None).measure(day).excused // 3_600_000_000 == 1


def test_gaps_concern_whom_they_name_and_only_critical_services_make_the_whole() -> None:
    gap = {"starts_at": at(1).isoformat(), "ends_at": at(2).isoformat()}
    lines = [
        ("monitoring_gap", {"id": "all", **gap}),
        ("monitoring_gap", {"id": "one", "services": ["api"], "starts_at": at(4).isoformat(), "ends_at": at(6).isoformat()}),
        ("service", {"service": "shop"}),
        ("service", {"service": "api", "critical": False}),
        incident("i", 60, services=["api"]),
    ]  # fmt: skip
    day = Interval(at(0), at(23))

    found = known(lines)

    measures = {name: found.timeline(name).measure(day) for name in ("shop", "api", None)}
    assert {name: each.unknown // 3_600_000_000 for name, each in measures.items()} == {"shop": 1, "api": 3, None: 1}
    assert {name: each.outage // 3_600_000_000 for name, each in measures.items()} == {"shop": 0, "api": 1, None: 0}
    assert found.timeline("api") is found.timeline("api")


def test_an_open_spell_lasts_to_the_instant_of_knowledge() -> None:
    found = known([incident("i", 0, restored_at=None)])

    measure = found.timeline("shop").measure(Interval(at(0), datetime(2026, 5, 1, tzinfo=UTC)))

    assert measure.outage == (datetime(2026, 4, 1, tzinfo=UTC) - at(12)) // timedelta(microseconds=1)


def test_what_lies_outside_the_walk_has_the_kind_that_is_known_of_it() -> None:
    lines = [
        deploy("d0", 6, "0"), deploy("d1", 8, "1"), deploy("d2", 9, "0"), deploy("d3", 12, "1"), deploy("d4", 13, "4"),
    ]  # fmt: skip
    lines[-1][1]["kind"] = "hotfix"
    running = deploy("d5", 14, "5")
    running[1].update(status="in_progress", finished_at=None)
    part = known([*lines, running])
    part.history.excerpt = Excerpt(
        WALK, below=("d0", "gone"), kinds={"d0": DeployKind.FORWARD, "d4": DeployKind.FORWARD}
    )

    kinds = {name: facts.kind for name, facts in part.deploys.items()}

    assert kinds == {
        "d0": DeployKind.FORWARD,
        "d1": DeployKind.FORWARD,
        "d2": DeployKind.ROLLBACK,
        "d3": None,
        "d4": DeployKind.HOTFIX,
        "d5": None,
    }
    outcomes = {name: facts.outcome for name, facts in part.deploys.items()}
    assert outcomes == {**dict.fromkeys(kinds, Outcome.SUCCEEDED), "d5": Outcome.NEVER_FINISHED}
    assert (part.condemned.keys(), part.deploys["d0"].live_at) == ({"d1"}, at(6))
