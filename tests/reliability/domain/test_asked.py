"""Small histories asked for single numbers, where the worked cases do not reach."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from deploys.domain.records import Fact, identity_of
from reliability.domain.asked import knowledge_of, report
from reliability.domain.burn_rate import RULES
from reliability.domain.intervals import Interval

ZONE = ZoneInfo("UTC")
WEEK = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC))
LATER = datetime(2026, 4, 1, tzinfo=UTC)
Payload = dict[str, Any]  # Any: JSON


def printed(*lines: tuple[str, Payload], as_of: datetime = LATER, traffic: tuple[Payload, ...] = ()) -> Payload:
    facts = [Fact(kind, identity_of(kind, payload) or "", payload) for kind, payload in lines]
    return report(knowledge_of(facts, traffic, as_of), WEEK, ZONE)


def incident(name: str = "i", **more: Any) -> tuple[str, Payload]:  # Any: JSON
    times = {"started_at": "2026-03-03T10:00:00Z", "restored_at": "2026-03-03T11:00:00Z"}
    return "incident", {"id": name, "services": ["shop"], "class": "downtime", **times, **more}


def deploy(name: str = "d", **more: Any) -> tuple[str, Payload]:  # Any: JSON
    times = {"started_at": "2026-03-03T09:00:00Z", "finished_at": "2026-03-03T09:30:00Z"}
    return "deploy", {"id": name, "service": "shop", "status": "success", "release": name, **times, **more}


def objective(**more: Any) -> tuple[str, Payload]:  # Any: JSON
    return "objective", {"id": "o", "service": "shop", "target": 0.99, **more}


def test_nothing_known_is_unknown_everywhere() -> None:
    total = printed()["total"]

    assert total["availability"]["ratio"] is None
    assert total["availability"]["display"] is None
    assert total["availability_service_seconds"]["ratio"] is None
    assert total["availability_user_weighted"] == {
        "user_seconds": 0,
        "lost_user_seconds": 0,
        "ratio": None,
        "display": None,
    }


def test_a_service_without_observed_time_needs_no_users() -> None:
    gone = {"service": "old", "retired_at": "2026-01-01T00:00:00Z"}

    total = printed(("service", gone), ("service", {"service": "shop", "users": 10}))["total"]

    assert total["availability_user_weighted"]["ratio"] == 1


def test_a_window_that_has_not_begun_is_empty() -> None:
    result = printed(incident(), deploy(), objective(window_days=7), as_of=datetime(2026, 3, 1, tzinfo=UTC))

    assert result["window"]["elapsed_seconds"] == 0
    assert result["weeks"] == []
    assert result["services"]["shop"]["deployment_frequency"]["deploys_per_day"] is None
    assert result["services"]["shop"]["issues"]["total_count"] == 0


def test_an_incident_that_begins_later_does_not_exist() -> None:
    assert printed(incident(), as_of=datetime(2026, 3, 3, 9, tzinfo=UTC))["services"] == {}


def test_a_failed_roll_out_whose_end_nobody_stated_is_unknown() -> None:
    failed = deploy(status="failure", finished_at=None, live_at="2026-03-03T09:10:00Z")

    recovery = printed(failed)["total"]["failed_deployment_recovery"]

    assert (recovery["unknown_count"], recovery["completed_count"], recovery["open_count"]) == (1, 0, 0)


def test_a_failure_with_an_open_incident_is_open() -> None:
    blamed = [{"kind": "deploy", "id": "d"}]

    recovery = printed(deploy(), incident(causes=blamed), incident("j", causes=blamed, restored_at=None))["total"]

    assert recovery["failed_deployment_recovery"]["open_count"] == 1


def test_a_commit_without_a_date_is_unknown_and_one_of_an_unknown_deploy_is_none() -> None:
    lead = printed(deploy(), ("change", {"sha": "a", "deploys": ["d"]}), ("change", {"sha": "b", "deploys": ["x"]}))

    assert lead["total"]["lead_time"] == {
        "commits_count": 0,
        "unknown_count": 1,
        "median_seconds": None,
        "p90_seconds": None,
    }


def test_spells_without_loss_and_of_harmless_classes_cost_nothing() -> None:
    spells = [
        {"from_at": "2026-03-03T10:00:00Z", "to_at": "2026-03-03T10:10:00Z", "degradation": 0},
        {"from_at": "2026-03-03T10:20:00Z", "degradation": 0.5},
    ]

    assert printed(incident(impact=spells[:1]))["total"]["availability"]["downtime_seconds"] == 0
    assert (
        printed(incident(impact=spells, **{"class": "single_user"}))["total"]["availability"]["downtime_seconds"] == 0
    )
    open_spell = printed(incident(impact=spells, **{"class": "multi_user"}), as_of=datetime(2026, 3, 3, 11, tzinfo=UTC))
    assert open_spell["total"]["availability"]["downtime_seconds"] == 1200


def test_maintenance_of_another_service_or_environment_excuses_nothing() -> None:
    slot = {
        "starts_at": "2026-03-03T10:00:00Z",
        "ends_at": "2026-03-03T11:00:00Z",
        "announced_at": "2026-03-01T00:00:00Z",
    }
    others = (
        ("maintenance", {"id": "m", "services": ["api"], **slot}),
        ("maintenance", {"id": "n", "environment": "staging", **slot}),
    )

    assert printed(incident(), *others)["services"]["shop"]["availability"]["downtime_seconds"] == 3600


def test_without_a_budget_nothing_is_a_share_of_it() -> None:
    part = printed(incident(), objective(target=1, calendar="week"))["objectives"]["o"]

    assert (part["budget_seconds"], part["spent_ratio"], part["met"]) == (0, None, False)
    assert part["exhausted_at"] == "2026-03-03T10:00:00Z"
    assert {part["alerts"][rule.name]["reachable"] for rule in RULES} == {False}
    assert {part["alerts"][rule.name]["long_burn_rate"] for rule in RULES} == {None}


def test_a_budget_that_lasts_beyond_the_calendar_has_no_end() -> None:
    tiny = incident(restored_at="2026-03-03T10:00:00.000001Z")

    part = printed(tiny, objective(target=0.0001, window_days=90))["objectives"]["o"]

    assert part["projected_exhaustion_at"] is None
    assert part["met"] is True


def test_a_rolling_budget_is_projected_too() -> None:
    part = printed(incident(), objective(window_days=7))["objectives"]["o"]

    assert (part["spent_seconds"], part["remaining_seconds"]) == (3600, 2448)
    assert part["projected_exhaustion_at"] == "2026-03-13T18:14:24Z"


def test_a_budget_spent_by_several_incidents_ends_inside_the_last() -> None:
    half = incident("j", started_at="2026-03-04T10:00:00Z", restored_at="2026-03-04T11:00:00Z", degradation=0.5)

    part = printed(incident(), half, objective(target=0.9925, calendar="week"))["objectives"]["o"]

    assert part["budget_seconds"] == 4536
    assert part["exhausted_at"] == "2026-03-04T10:31:12Z"


def test_requests_of_the_whole_are_those_of_critical_services() -> None:
    line = {"environment": "prod", "at": "2026-03-03T10:00:00Z", "seconds": 60, "count": 100, "failed": 1}
    traffic = (
        {"service": "shop", **line},
        {"service": "wiki", **line},
        {"service": "shop", **line, "environment": "staging"},
    )
    services = (("service", {"service": "shop"}), ("service", {"service": "wiki", "critical": False}))

    part = printed(*services, objective(service=None, sli="requests", window_days=7), traffic=traffic)["objectives"][
        "o"
    ]

    assert (part["spent_requests"], part["budget_requests"], part["exhausted_at"]) == (1, 1, None)


def test_a_running_report_window_has_the_budget_of_all_of_it() -> None:
    thursday = datetime(2026, 3, 5, tzinfo=UTC)

    part = printed(("service", {"service": "shop"}), objective(window_days=28), as_of=thursday)["objectives"]["o"]

    assert part["report_budget_seconds"] == 6048


def test_an_incident_named_twice_for_one_service_counts_once() -> None:
    assert printed(incident(services=["shop", "shop"]))["services"]["shop"]["issues"]["total_count"] == 1


def test_the_policy_may_name_another_environment() -> None:
    policy = ("history", {"policy": {"environment": "staging", "pending_seconds": None}})

    result = printed(policy, deploy(environment="Staging"), deploy("e"))

    assert result["total"]["deploys"]["took_traffic_count"] == 1
    assert result["policy"]["environment"] == "staging"
    assert result["policy"]["pending_seconds"] == 259_200


def test_a_retired_service_has_whole_weeks_of_its_life_only() -> None:
    shop = ("service", {"service": "shop", "retired_at": "2026-03-05T00:00:00Z", "born_at": "2026-03-03T00:00:00Z"})

    part = printed(shop, deploy())["services"]["shop"]["deployment_frequency"]

    assert (part["calendar_days"], part["whole_weeks_count"], part["deploys_per_day"]) == (2, 0, 0.5)


def test_a_record_that_says_nothing_yet_counts_nowhere() -> None:
    result = printed(
        incident(services=None), deploy(started_at=None), objective(target=None), incident("j", started_at=None)
    )

    assert (result["services"], result["objectives"]) == ({}, {})
