"""The rows behind the numbers add up to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploys.domain.records import Fact, identity_of
from reliability.domain.asked import knowledge_of
from reliability.domain.contract import Report, contract
from reliability.domain.dora import Scope
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.rows import kept, rows
from tests.reliability.domain.random_histories import START, histories, moments

WEEK = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC))
Lines = list[tuple[str, dict[str, Any]]]  # Any: JSON


def known(lines: Lines, as_of: datetime = datetime(2026, 4, 1, tzinfo=UTC)) -> Knowledge:
    return knowledge_of([Fact(kind, identity_of(kind, payload) or "", payload) for kind, payload in lines], [], as_of)


def rows_of(lines: Lines, as_of: datetime = datetime(2026, 4, 1, tzinfo=UTC)) -> Any:  # Any: as above
    return rows(known(lines, as_of), Report(known(lines, as_of), WEEK, ZoneInfo("UTC")).scope(None))


def at(hour: int, day: int = 3) -> str:
    return f"2026-03-{day:02}T{hour:02}:00:00Z"


def deploy(name: str, hour: int, release: str, **more: Any) -> tuple[str, dict[str, Any]]:  # Any: as above
    payload = {
        "id": name,
        "service": "shop",
        "status": "success",
        "started_at": at(hour),
        "finished_at": at(hour),
        "release": release,
    }
    return "deploy", payload | more


def incident(name: str, begin: int, end: int | None, **more: Any) -> tuple[str, dict[str, Any]]:  # Any: as above
    payload = {"id": name, "services": ["shop"], "class": "downtime", "started_at": at(begin)}
    return "incident", payload | {"restored_at": None if end is None else at(end)} | more


def verdicts(found: Any) -> dict[str, tuple[str, list[tuple[str, str | None]]]]:  # Any: as above
    return {
        row["id"]: (row["verdict"], [(each["rule"], each["id"]) for each in row["why"]]) for row in found["deploys"]
    }


def test_a_deploy_says_by_which_rule_it_failed() -> None:
    lines = [
        deploy("a", 1, "1"), deploy("b", 2, "2"), deploy("c", 3, "3"), deploy("back", 4, "1"),
        deploy("w", 5, "4", status="failure", live_at=at(5)), deploy("h", 6, "5"), deploy("s", 8, "6"),
        incident("i", 7, 9, causes=[{"kind": "deploy", "id": "h"}]),
        incident("j", 9, 10, causes=[{"kind": "deploy", "id": "s", "status": "suggested"}, {"kind": "external"}]),
    ]  # fmt: skip

    assert verdicts(rows_of(lines)) == {
        "a": ("", []),
        "b": ("failed", [("undone", "back")]),
        "c": ("suspected", [("carried", "back")]),
        "back": ("", []),
        "w": ("failed", [("withdrawn", None)]),
        "h": ("failed", [("incident", "i")]),
        "s": ("suspected", [("suggested", "j")]),
    }


def test_a_young_deploy_is_pending() -> None:
    assert verdicts(rows_of([deploy("a", 1, "1")], datetime(2026, 3, 4, tzinfo=UTC))) == {"a": ("pending", [])}


def test_an_incident_says_what_it_cost_and_whose_that_is() -> None:
    causes = [{"kind": "deploy", "id": "a", "weight": 0.5}, {"kind": "external", "weight": 0.25}]
    lines = [deploy("a", 1, "1"), incident("i", 2, 4, causes=causes), incident("j", 3, None, degradation=1)]

    first, second = rows_of(lines, datetime(2026, 3, 3, 5, tzinfo=UTC))["incidents"]

    assert (first["lost_seconds"], first["seconds"], first["ends"], first["means"]) == (5400, 7200, True, "none")
    assert first["by_cause"] == {"own_change": 2700, "external": 1350, "unknown": 1350}
    assert (second["lost_seconds"], second["seconds"], second["ends"], second["restored_at"]) == (
        5400,
        7200,
        False,
        None,
    )


def test_what_goes_on_in_the_window_is_among_its_incidents_and_what_is_over_is_not() -> None:
    outside = {"started_at": "2026-02-20T00:00:00Z", "class": "impactless"}
    lines = [
        incident("over", 1, None, **outside, restored_at="2026-02-21T00:00:00Z"),
        incident("on", 1, None, **outside, restored_at="2026-03-20T00:00:00Z"),
    ]

    found = rows_of(lines)["incidents"]

    assert [(row["id"], row["begins"], row["ends"], row["restored_at"]) for row in found] == [
        ("on", False, False, None)
    ]


def test_rows_of_a_service_are_its_own() -> None:
    lines = [
        deploy("a", 1, "1"), deploy("b", 1, "1", service="api"),
        incident("i", 2, 3, causes=[{"kind": "deploy", "id": "a"}]), incident("j", 2, 4, services=["api"], causes=[{"kind": "deploy", "id": "b"}]),
    ]  # fmt: skip

    found: Any = rows(known(lines), Scope("api", WEEK))

    assert {name: [row["id"] for row in found[name]] for name in ("deploys", "recoveries", "incidents")} == {
        "deploys": ["b"],
        "recoveries": ["b"],
        "incidents": ["j"],
    }


def test_what_is_kept_with_a_report_holds_its_rows() -> None:
    scope = Scope(None, WEEK)

    stored = kept(known([deploy("a", 1, "1")]), scope)

    assert stored["rows"] == rows(known([deploy("a", 1, "1")]), scope)
    assert stored.keys() == {"rows", "recoveries", "lead_time_counts"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories(), moments, st.integers(1, 20_000), st.none() | moments)
def test_rows_add_up_to_the_numbers(facts: list[Fact], start: datetime, minutes: int, as_of: datetime | None) -> None:
    knowledge = knowledge_of(facts, [], as_of or START + timedelta(weeks=6))
    report = Report(knowledge, Interval(start, start + timedelta(minutes=minutes)), ZoneInfo("UTC"))
    printed: Any = contract(report)["total"]  # Any: as above
    found: Any = rows(knowledge, report.scope(None))

    counted = [row for row in found["deploys"] if row["is_counted"]]
    failure = printed["change_failure"]
    assert len(counted) == failure["deploys_count"]
    assert sorted(row["id"] for row in counted if row["verdict"] == "failed") == failure["failed_deploy_ids"]
    assert sorted(row["id"] for row in counted if row["verdict"] == "suspected") == failure["suspected_deploy_ids"]
    young = [row for row in counted if row["verdict"] == "pending"]
    assert len(young) <= failure["pending_count"]
    traffic = [row for row in found["deploys"] if row["took_traffic"]]
    assert len(traffic) == printed["deploys"]["took_traffic_count"]
    assert sum(row["verdict"] == "failed" for row in traffic) == printed["change_fault"]["failed_deploys_count"]
    assert all(row["why"] for row in found["deploys"] if row["verdict"] in {"failed", "suspected"})
    recovery = printed["failed_deployment_recovery"]
    known_ends = [row for row in found["recoveries"] if row["seconds"] is not None]
    assert sum(not row["is_open"] for row in known_ends) == recovery["completed_count"]
    assert sum(row["is_open"] for row in known_ends) == recovery["open_count"]
    assert len(found["recoveries"]) - len(known_ends) == recovery["unknown_count"]
    assert sum(row["begins"] for row in found["incidents"]) == printed["issues"]["total_count"]
    assert sum(row["ends"] for row in found["incidents"]) == printed["time_to_restore"]["all"]["completed_count"]
    cause = printed["downtime_by_cause"]
    assert sum(row["lost_seconds"] for row in found["incidents"]) == pytest.approx(cause["total_seconds"])
    own = sum(row["by_cause"].get("own_change", 0) for row in found["incidents"])
    assert own == pytest.approx(cause["own_change_seconds"])
    lengths = [row["seconds"] for row in found["commits"]]
    assert sum(each is not None for each in lengths) == printed["lead_time"]["commits_count"]
    assert sum(each is None for each in lengths) == printed["lead_time"]["unknown_count"]
    assert len(found["flag_changes"]) == printed["change_fault"]["flag_changes_count"]
