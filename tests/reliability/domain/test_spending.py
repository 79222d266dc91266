from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploys.domain.records import Fact, identity_of
from reliability.domain.asked import knowledge_of
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.slo import Evaluation
from reliability.domain.spending import BudgetStep, budget_steps, worst_classes

ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 3, 9, tzinfo=UTC)


def known(*lines: tuple[str, dict[str, Any]]) -> Knowledge:  # Any: JSON
    facts = [Fact(kind, identity_of(kind, payload) or "", payload) for kind, payload in lines]
    return knowledge_of(facts, [], NOW)


def incident(name: str, start: str, end: str | None, impact_class: str = "downtime") -> tuple[str, dict[str, Any]]:
    times = {"started_at": f"2026-03-{start}:00Z", "restored_at": None if end is None else f"2026-03-{end}:00Z"}
    return "incident", {"id": name, "services": ["shop"], "class": impact_class, **times}


def evaluation(knowledge: Knowledge) -> Evaluation:
    return Evaluation(knowledge, knowledge.history.objectives[0], Interval(NOW, NOW), NOW, ZONE)


def test_a_budget_is_spent_step_by_step() -> None:
    objective = ("objective", {"id": "o", "service": "shop", "target": 0.99, "window_days": 7})
    knowledge = known(objective, incident("i", "03T10:00", "03T11:00"), incident("j", "05T10:00", "05T10:30"))

    third, fifth = datetime(2026, 3, 3, 10, tzinfo=UTC), datetime(2026, 3, 5, 10, tzinfo=UTC)
    assert budget_steps(evaluation(knowledge)) == [
        BudgetStep(third, third + timedelta(hours=1), ("i",), 3600, 2448),
        BudgetStep(fifth, fifth + timedelta(minutes=30), ("j",), 1800, 648),
    ]


def test_requests_have_no_steps() -> None:
    knowledge = known(("objective", {"id": "o", "target": 0.99, "sli": "requests", "window_days": 7}))

    assert budget_steps(evaluation(knowledge)) == []


def test_the_worst_class_of_each_day() -> None:
    knowledge = known(
        incident("i", "05T23:00", "06T01:00", "single_user"),
        incident("j", "06T10:00", "06T11:00", "multi_user"),
        incident("k", "08T10:00", None, "impactless"),
    )

    expected = ["single_user", "multi_user", None, "impactless", None]
    assert worst_classes(knowledge, "shop", ZONE, 5) == expected
    assert worst_classes(knowledge, None, ZONE, 5) == expected
    assert worst_classes(knowledge, "api", ZONE, 2) == [None, None]
