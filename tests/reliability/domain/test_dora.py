"""Delivery measures of small histories with round numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.reliability.domain.test_asked import Payload, deploy, incident, printed

MONDAY, END = "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"


def live(name: str, at: str, **more: Any) -> tuple[str, Payload]:  # Any: JSON
    return deploy(name, started_at=at, finished_at=at, **more)


def blamed(name: str, *deploys: str, kind: str = "deploy", **more: Any) -> tuple[str, Payload]:  # Any: JSON
    return incident(name, causes=[{"kind": kind, "id": each} for each in deploys], **more)


def flag(name: str, at: str, percent: float, **more: Any) -> tuple[str, Payload]:  # Any: JSON
    return "flag_change", {"id": name, "key": "beta", "at": at, "new_percent": percent, **more}


def test_deploys_are_counted_by_kind_and_outcome_in_the_window_of_their_traffic() -> None:
    canary = {"status": "in_progress", "finished_at": None}
    report = printed(
        live("a", MONDAY),
        live("late", END),
        live("h", "2026-03-03T10:10:00Z"),
        live("r", "2026-03-04T10:00:00Z", kind="rollback"),
        live("s", "2026-03-05T10:00:00Z", kind="redeploy"),
        live("f", "2026-03-05T11:00:00Z", status="failure", live_at="2026-03-05T11:00:00Z"),
        live("x", "2026-03-05T12:00:00Z", status="failure"),
        deploy("y", started_at="2026-03-06T10:00:00Z", **canary),
        incident(remedies=[{"kind": "deploy", "id": "h"}]),
    )

    assert report["total"]["deploys"] == {
        "took_traffic_count": 5,
        "forward_count": 2,
        "hotfix_count": 1,
        "rollback_count": 1,
        "redeploy_count": 1,
        "failed_after_traffic_count": 1,
        "aborted_before_traffic_count": 1,
        "never_finished_count": 1,
        "running_count": 0,
    }
    assert report["services"]["shop"]["deploys"] == report["total"]["deploys"]
    running = printed(
        deploy("y", started_at="2026-03-06T10:00:00Z", **canary), as_of=datetime(2026, 3, 6, 11, tzinfo=UTC)
    )
    assert running["total"]["deploys"]["running_count"] == 1


def test_frequency_is_by_calendar_days_of_the_life_and_whole_weeks() -> None:
    days = ("2026-03-05T10:00:00Z", "2026-03-05T12:00:00Z", "2026-03-07T10:00:00Z")
    lines = [live(at, at) for at in days]
    born = ("service", {"service": "shop", "born_at": "2026-03-05T00:00:00Z"})

    report = printed(*lines, born)

    assert report["total"]["deployment_frequency"] == {
        "deploys_count": 3,
        "calendar_days": 7,
        "deploys_per_day": 3 / 7,
        "days_with_deploy_count": 2,
        "whole_weeks_count": 1,
        "median_deploys_per_week": 3,
    }
    assert report["services"]["shop"]["deployment_frequency"] == {
        "deploys_count": 3,
        "calendar_days": 4,
        "deploys_per_day": 3 / 4,
        "days_with_deploy_count": 2,
        "whole_weeks_count": 0,
        "median_deploys_per_week": None,
    }


def test_failed_deploys_are_a_set_of_deploys_and_suspected_ones_stand_beside() -> None:
    names = [f"d{n}" for n in range(4)]
    lines = [live(name, f"2026-03-03T0{n}:00:00Z") for n, name in enumerate(names)]
    suggested = [{"kind": "deploy", "id": "d2", "status": "suggested"}]

    part = printed(*lines, blamed("i", "d1"), blamed("j", "d1", "d0"), incident("k", causes=suggested))["total"]

    assert part["change_failure"] == {
        "deploys_count": 4,
        "failed_count": 2,
        "suspected_count": 1,
        "pending_count": 0,
        "ratio": 0.5,
        "interval_low_ratio": pytest.approx(0.15, abs=0.001),
        "interval_high_ratio": pytest.approx(0.85, abs=0.001),
        "if_suspected_ratio": 0.75,
        "failed_deploy_ids": ["d0", "d1"],
        "suspected_deploy_ids": ["d2"],
    }
    empty = printed(incident())["total"]["change_failure"]
    assert (empty["ratio"], empty["if_suspected_ratio"]) == (None, None)
    assert (empty["interval_low_ratio"], empty["interval_high_ratio"]) == (None, None)


def test_a_young_deploy_that_did_not_fail_is_pending() -> None:
    lines = [
        live("young", "2026-03-03T10:00:01Z"),
        live("younger", "2026-03-04T10:00:01Z"),
        live("old", "2026-03-03T10:00:00Z"),
        live("failed", "2026-03-04T10:00:00Z"),
        blamed("i", "failed", started_at="2026-03-05T10:00:00Z", restored_at=None),
    ]

    part = printed(*lines, as_of=datetime(2026, 3, 6, 10, tzinfo=UTC))["total"]["change_failure"]

    assert (part["pending_count"], part["failed_count"], part["deploys_count"]) == (2, 1, 4)


def test_changes_are_deploys_of_any_kind_and_flag_changes() -> None:
    lines = [
        live("a", "2026-03-03T08:00:00Z"),
        live("r", "2026-03-03T09:00:00Z", kind="redeploy"),
        live("x", "2026-03-03T09:00:00Z", status="failure"),
        flag("before", "2026-03-01T09:00:00Z", 10),
        flag("on", "2026-03-03T09:00:00Z", 100, services=["shop"]),
        flag("again", "2026-03-03T09:30:00Z", 100, services=["shop"]),
        flag("off", "2026-03-04T09:30:00Z", 0),
        flag("end", END, 50),
        blamed("i", "r"),
        blamed("j", "on", kind="flag", remedies=[{"kind": "flag", "id": "off"}]),
    ]

    report = printed(*lines)

    assert report["total"]["change_fault"] == {
        "changes_count": 4,
        "deploys_count": 2,
        "flag_changes_count": 2,
        "failed_count": 2,
        "failed_deploys_count": 1,
        "failed_flag_changes_count": 1,
        "ratio": 0.5,
        "interval_low_ratio": pytest.approx(0.15, abs=0.001),
        "interval_high_ratio": pytest.approx(0.85, abs=0.001),
    }
    shop = report["services"]["shop"]["change_fault"]
    assert (shop["changes_count"], shop["flag_changes_count"], shop["failed_count"]) == (3, 1, 2)
    assert report["total"]["rework"]["remedial_flag_changes_count"] == 1
    assert report["services"]["shop"]["rework"]["remedial_flag_changes_count"] == 0


def test_lead_time_is_of_commits_in_the_window_of_their_first_traffic() -> None:
    def commit(sha: str, at: str | None, *deploys: str) -> tuple[str, Payload]:
        return "change", {"sha": sha, "committed_at": at, "deploys": list(deploys)}

    lines = [
        live("before", "2026-03-01T10:00:00Z"),
        live("a", "2026-03-03T10:00:00Z"),
        live("b", "2026-03-04T10:00:00Z"),
        commit("one", "2026-03-03T08:00:00Z", "a", "b"),
        commit("two", "2026-03-03T10:00:00Z", "a"),
        commit("three", "2026-03-03T04:00:00Z", "b", "a"),
        commit("old", "2026-03-01T09:00:00Z", "before", "a"),
        commit("undated", None, "a"),
        commit("contradicted", "2026-03-05T10:00:00Z", "b"),
    ]

    assert printed(*lines)["total"]["lead_time"] == {
        "commits_count": 3,
        "unknown_count": 2,
        "median_seconds": 7200,
        "p90_seconds": 18720,
    }


def test_rework_is_hotfixes_rollbacks_and_redeploys_that_were_remedies() -> None:
    remedies = [{"kind": "deploy", "id": name} for name in ("h", "s", "b")]
    lines = [
        live("a", "2026-03-03T08:00:00Z"),
        live("b", "2026-03-03T08:30:00Z", kind="forward"),
        live("h", "2026-03-03T10:10:00Z"),
        live("r", "2026-03-03T10:20:00Z", kind="rollback"),
        live("s", "2026-03-03T10:30:00Z", kind="redeploy"),
        live("t", "2026-03-03T10:40:00Z", kind="redeploy"),
        live("u", "2026-03-03T10:45:00Z", kind="redeploy"),
        live("x", "2026-03-03T10:50:00Z", status="failure", kind="rollback"),
        incident(remedies=remedies),
    ]

    part = printed(*lines)["total"]["rework"]

    assert part == {"rework_count": 3, "deploys_count": 7, "ratio": 3 / 7, "remedial_flag_changes_count": 0}


def test_issues_are_counted_where_they_began_by_class_and_per_deploy() -> None:
    lines = [
        live("a", "2026-03-03T08:00:00Z"),
        live("b", "2026-03-03T09:00:00Z"),
        blamed("i", "a"),
        incident("j", **{"class": "single_user"}),
        incident("k", **{"class": "single_user"}, causes=[{"kind": "external"}]),
        incident("l", started_at=END, restored_at=None),
    ]

    part = printed(*lines)["total"]["issues"]

    assert {name: value for name, value in part.items() if value} == {
        "deploys_count": 2,
        "downtime_count": 1,
        "downtime_per_deploy_ratio": 0.5,
        "single_user_count": 2,
        "single_user_per_deploy_ratio": 1,
        "total_count": 3,
        "total_per_deploy_ratio": 1.5,
        "own_change_count": 1,
    }
    assert part["multi_user_per_deploy_ratio"] == 0
