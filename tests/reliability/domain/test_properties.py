"""What must hold of every history, whatever happened in it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploys.domain.instants import instant_text, parse_instant
from deploys.domain.records import Fact
from reliability.domain.asked import knowledge_of, report
from reliability.domain.intervals import Interval
from tests.reliability.domain.random_histories import START, histories, moments

WEEK = timedelta(days=7)
THREE_WEEKS = Interval(START, START + 3 * WEEK)
LATER = START + 6 * WEEK
UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
Printed = dict[str, Any]  # Any: a JSON tree
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def printed(
    facts: list[Fact], window: Interval = THREE_WEEKS, as_of: datetime = LATER, zone: ZoneInfo = UTC_ZONE
) -> Printed:
    return report(knowledge_of(facts, [], as_of), window, zone)


def scopes(result: Printed) -> list[Printed]:
    return [result["total"], *result["services"].values()]


def is_ordered(*values: float | None) -> bool:
    known = [value for value in values if value is not None]
    return known == sorted(known)


@quick
@given(histories(), moments)
def test_ratios_stay_in_their_bounds(facts: list[Fact], as_of: datetime) -> None:
    for part in scopes(printed(facts, as_of=as_of)):
        failure, cause, up = part["change_failure"], part["downtime_by_cause"], part["availability"]
        assert is_ordered(0, failure["ratio"], failure["if_suspected_ratio"], 1)
        assert is_ordered(failure["interval_low_ratio"], failure["ratio"], failure["interval_high_ratio"])
        assert failure["failed_count"] + failure["suspected_count"] <= failure["deploys_count"]
        assert is_ordered(0, up["ratio"], 1)
        assert is_ordered(0, up["coverage_ratio"], 1)
        assert is_ordered(0, cause["self_inflicted_low_ratio"], cause["self_inflicted_high_ratio"], 1)
        assert sum(cause[key] for key in cause if key.endswith("_seconds") and key != "total_seconds") == pytest.approx(
            cause["total_seconds"]
        )
        assert cause["total_seconds"] == up["downtime_seconds"]
        assert up["outage_seconds"] + up["partial_seconds"] >= up["downtime_seconds"]


@quick
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(facts: list[Fact], shuffle: random.Random) -> None:
    dated = [replace(fact, received_at=fact.received_at or START) for fact in facts]
    shuffled = list(dated)
    shuffle.shuffle(shuffled)

    first, second = printed(dated), printed(shuffled)

    assert {**first, "objectives": None} == {**second, "objectives": None}
    assert first["objectives"].items() == second["objectives"].items()


@quick
@given(histories(), moments)
def test_facts_received_later_have_no_effect(facts: list[Fact], as_of: datetime) -> None:
    known = [fact for fact in facts if fact.received_at is None or fact.received_at <= as_of]

    assert printed(facts, as_of=as_of) == printed(known, as_of=as_of)


@quick
@given(histories(), st.integers(1, 3 * 7 * 24 * 60 - 1))
def test_a_window_split_anywhere_adds_up(facts: list[Fact], minute: int) -> None:
    seam = START + timedelta(minutes=minute)

    whole = printed(facts)
    parts = [printed(facts, Interval(START, seam)), printed(facts, Interval(seam, THREE_WEEKS.end))]

    for index, part in enumerate(scopes(whole)):
        halves = [scopes(half)[index] for half in parts]
        for group, key in ADDITIVE:
            assert part[group][key] == pytest.approx(sum(half[group][key] for half in halves)), (group, key)
        assert part["time_to_restore"]["all"]["completed_count"] == sum(
            half["time_to_restore"]["all"]["completed_count"] for half in halves
        )
    for name, objective in whole["objectives"].items():
        spent = sum(half["objectives"][name]["report_spent_seconds"] for half in parts)
        assert objective["report_spent_seconds"] == pytest.approx(spent)


ADDITIVE = (
    ("availability", "downtime_seconds"),
    ("availability", "observed_seconds"),
    ("availability", "unknown_seconds"),
    ("availability", "excused_seconds"),
    ("deploys", "took_traffic_count"),
    ("change_failure", "deploys_count"),
    ("change_failure", "failed_count"),
    ("issues", "total_count"),
    ("failed_deployment_recovery", "completed_count"),
    ("lead_time", "commits_count"),
)


@quick
@given(histories())
def test_an_equal_incident_inside_another_changes_no_downtime(facts: list[Fact]) -> None:
    copies = [
        replace(fact, identity=f"copy of {fact.identity}", payload={**fact.payload, "id": f"copy of {fact.identity}"})
        for fact in facts
        if fact.kind == "incident"
    ]

    first, second = printed(facts), printed(facts + copies)

    for before, after in zip(scopes(first), scopes(second), strict=True):
        assert before["availability"] == after["availability"]


@quick
@given(histories())
def test_a_repeated_delivery_changes_nothing(facts: list[Fact]) -> None:
    sent = [replace(fact, delivery_id=f"{fact.kind} {fact.identity}") for fact in facts]
    late = [replace(fact, received_at=START + 5 * WEEK, payload={**fact.payload}) for fact in sent]

    assert printed(sent + late) == printed(sent)


@quick
@given(histories(), st.integers(-3, 3))
def test_shifting_by_whole_weeks_shifts_the_report(facts: list[Fact], weeks: int) -> None:
    def shifted(value: object) -> object:
        if isinstance(value, str) and value.endswith("Z"):
            return instant_text(parse_instant(value) + weeks * WEEK)
        return value

    moved = [
        replace(
            fact,
            received_at=fact.received_at and fact.received_at + weeks * WEEK,
            payload={key: shifted(value) for key, value in fact.payload.items()},
        )
        for fact in facts
    ]
    window = Interval(START + weeks * WEEK, THREE_WEEKS.end + weeks * WEEK)

    first, second = printed(facts), printed(moved, window, LATER + weeks * WEEK)

    assert first["services"] == second["services"]
    assert first["total"] == second["total"]


@quick
@given(histories(), moments)
def test_weeks_of_a_zone_add_up_to_the_elapsed_window(facts: list[Fact], as_of: datetime) -> None:
    result = printed(facts, as_of=as_of, zone=BERLIN)

    assert sum(week["elapsed_seconds"] for week in result["weeks"]) == result["window"]["elapsed_seconds"]
    total = result["total"]
    assert sum(week["downtime_seconds"] for week in result["weeks"]) == pytest.approx(
        total["availability"]["downtime_seconds"]
    )
    assert sum(week["deploys_count"] for week in result["weeks"]) == total["change_failure"]["deploys_count"]
    assert sum(week["issues_count"] for week in result["weeks"]) == total["issues"]["total_count"]
