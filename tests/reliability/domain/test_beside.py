from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings

from deploys.domain.records import Fact, identity_of
from reliability.domain.asked import knowledge_of
from reliability.domain.beside import beside, lead_time_classes, means_of
from reliability.domain.dora import Scope, lead_time
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.recovery import time_to_restore
from tests.reliability.domain.random_histories import START, histories

WEEK = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC))
WHOLE = Scope(None, WEEK)
Lines = list[tuple[str, dict[str, Any]]]  # Any: JSON


def known(lines: Lines) -> Knowledge:
    facts = [Fact(kind, identity_of(kind, payload) or "", payload) for kind, payload in lines]
    return knowledge_of(facts, [], datetime(2026, 4, 1, tzinfo=UTC))


def deploy(name: str, hour: int, release: str) -> tuple[str, dict[str, Any]]:  # Any: JSON
    at = f"2026-03-03T{hour:02}:00:00Z"
    return "deploy", {
        "id": name, "service": "shop", "status": "success", "started_at": at, "finished_at": at, "release": release,
    }  # fmt: skip


def incident(name: str, minutes: int, *remedies: str, **more: Any) -> tuple[str, dict[str, Any]]:  # Any: JSON
    start = datetime(2026, 3, 3, 12, tzinfo=UTC)
    links = [{"kind": "flag" if each.startswith("f") else "deploy", "id": each} for each in remedies]
    return "incident", {
        "id": name, "services": ["shop"], "class": "downtime", "started_at": start.isoformat(), "remedies": links,
        "restored_at": (start + timedelta(minutes=minutes)).isoformat(), **more,
    }  # fmt: skip


def flip(name: str, at: str) -> tuple[str, dict[str, Any]]:  # Any: JSON
    return "flag_change", {"id": name, "key": "f", "at": at, "new_percent": 0}


DEPLOYS = [deploy("d1", 8, "1"), deploy("d2", 9, "2"), deploy("d3", 12, "1"), deploy("d4", 13, "3")]


def test_incidents_are_told_by_what_ended_them() -> None:
    lines = [
        *DEPLOYS,
        incident("a", 10, "d3"), incident("b", 30, "d3"), incident("c", 100, "d4"), incident("d", 7, "nobody knows"), incident("e", 5),
    ]  # fmt: skip

    assert beside(known(lines), WHOLE)["recoveries"] == {
        "rollback": {"count": 2, "median_seconds": 1200},
        "roll_forward": {"count": 1, "median_seconds": 6000},
        "flag": {"count": 0, "median_seconds": None},
        "none": {"count": 2, "median_seconds": 360},
    }


def test_the_last_remedy_before_the_restoration_decides() -> None:
    lines = [
        *DEPLOYS, flip("f1", "2026-03-03T12:30:00Z"), flip("f2", "2026-03-03T14:30:00Z"),
        incident("a", 60, "d3", "f1"), incident("b", 60, "f1", "d3", "f2"), incident("c", 180, "d4", "f2"),
        incident("d", 10, "f2"), incident("e", 70, "f1", "d4"), incident("open", 60, "d3", "f1", restored_at=None),
    ]  # fmt: skip
    knowledge = known(lines)

    found = {case.incident.id: means_of(case.incident, knowledge) for case in knowledge.incidents}

    assert found == {"a": "flag", "b": "flag", "c": "flag", "d": "flag", "e": "roll_forward", "open": "flag"}


def test_only_what_was_restored_in_the_window_counts() -> None:
    late = incident("a", 60, restored_at="2026-03-09T00:00:00Z")

    assert beside(known([late]), WHOLE)["recoveries"]["none"] == {"count": 0, "median_seconds": None}  # type: ignore[index]  # an object


def test_lead_times_are_counted_in_classes_that_include_their_lower_end() -> None:
    live = datetime(2026, 3, 3, 8, tzinfo=UTC)
    hours = [0, 1, 3.999, 4, 24, 72, 168, 672, 10_000, -1]
    commits: Lines = [
        ("change", {"sha": f"c{place}", "deploys": ["d1"], "committed_at": (live - timedelta(hours=each)).isoformat()})
        for place, each in enumerate(hours)
    ]

    counts = lead_time_classes(known([*DEPLOYS, *commits, ("change", {"sha": "x", "deploys": ["d1"]})]), WHOLE)

    assert counts == [1, 2, 1, 1, 1, 1, 2]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories())
def test_what_stands_beside_the_contract_counts_the_same_things(facts: list[Fact]) -> None:
    knowledge = knowledge_of(facts, [], START + timedelta(weeks=6))
    for service in (None, "shop", "api"):
        scope = Scope(service, Interval(START, START + timedelta(weeks=3)))
        told: dict[str, Any] = beside(knowledge, scope)  # Any: JSON
        restored: dict[str, Any] = time_to_restore(knowledge, scope)  # Any: JSON

        ended = sum(part["count"] for part in told["recoveries"].values())
        assert ended == restored["all"]["completed_count"]
        assert sum(told["lead_time_counts"]) == lead_time(knowledge, scope)["commits_count"]
