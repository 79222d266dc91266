"""Messages come in any order and days late, and end in the state that they would have ended in had they come at once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deploys.actions.deploys import record
from deploys.domain.changes import DeployReport
from deploys.models import Change, Deploy, Service
from incidents.actions.digest import digest_events
from incidents.domain.event import ParsedEvent
from incidents.models import ErrorEvent, Issue, IssueCount, IssueUser
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import parsed_event

pytestmark = [pytest.mark.django_db, pytest.mark.database]

Message = ParsedEvent | DeployReport
DAY = 86_400
EVENTS, DEPLOYS = 500, 12  # of one example
NAMES = ["cart", "login", "search", "mail"]


def moment(second: float) -> dt.datetime:
    return NOON - dt.timedelta(days=4) + dt.timedelta(seconds=second)


def drawn_event(dice: random.Random) -> tuple[float, Message]:
    second = dice.uniform(0, DAY)
    event = parsed_event(
        type="Fault",
        message=f"{dice.choice(NAMES)} failed for order {dice.randrange(1_000)}",
        frames=(),
        timestamp=moment(second),
        release=f"1.{int(second // 7_200)}",
        host=dice.choice(["a", "b"]),
        environment=dice.choice(["production", "staging"]),
        user=f"u{dice.randrange(30)}",
        level=dice.choice(["error", "warning"]),
    )
    return second, event


def drawn_deploy(dice: random.Random, number: int) -> list[tuple[float, Message]]:
    """Its start and its end, each with its own instant."""
    start = dice.uniform(0, DAY - 600)
    end = start + dice.uniform(10, 600)
    said = DeployReport(id=str(number), service="shop", environment="production", release=f"1.{int(start // 7_200)}")
    status = dice.choice(["success", "success", "failure"])
    return [
        (start, dataclasses.replace(said, status="in_progress", started_at=moment(start))),
        (end, dataclasses.replace(said, status=status, finished_at=moment(end))),
    ]


def play(service: Service, messages: list[tuple[float, Message]], *, batch: int) -> None:
    """Each message is received at its second; events in batches, as the inbox has them."""
    waiting: list[tuple[ParsedEvent, dt.datetime]] = []

    def flush() -> None:
        if waiting:
            digest_events(
                service=service, events=[each for each, _ in waiting], received_at=[instant for _, instant in waiting]
            )
            waiting.clear()

    for second, message in messages:
        if isinstance(message, ParsedEvent):
            waiting.append((message, moment(second)))
            if len(waiting) == batch:
                flush()
        else:
            record(team=service.team, report=message, source="api", received_at=moment(second))
    flush()


def state(service: Service) -> dict[str, Any]:
    """Everything a page could show, without ids and instants of receipt."""
    names = ["fingerprint", "type", "title", "culprit", "level", "first_release", "events_count", "users_count",
             "first_seen_at", "last_seen_at"]  # fmt: skip
    deploys = ["external_id", "status", "started_at", "finished_at", "release__version", "kind_listed",
               "outcome_listed", "is_live_listed"]  # fmt: skip
    return {
        "issues": sorted(Issue.objects.filter(service=service).values_list(*names)),
        "events": sorted(ErrorEvent.objects.filter(service=service).values_list("event_id", "timestamp", "release")),
        "counts": sorted(
            IssueCount.objects.filter(issue__service=service).values_list(
                "issue__fingerprint", "environment__name", "bucket_at", "release", "host", "count"
            )
        ),
        "users": sorted(
            IssueUser.objects.filter(issue__service=service).values_list("issue__fingerprint", "first_seen_at")
        ),
        "deploys": sorted(Deploy.objects.filter(service=service).values_list(*deploys), key=lambda row: int(row[0])),
        "changes": sorted(Change.objects.filter(service=service).values_list("kind", "at")),
    }


def test_the_order_of_arrival_changes_nothing(pytestconfig: pytest.Config) -> None:
    examples = 20 if pytestconfig.getoption("--soak") else 2

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a smaller example would take minutes to find, and says no more
    )
    @given(seed=st.integers(0, 2**32))
    def try_one(seed: int) -> None:
        dice = random.Random(seed)
        in_order, shuffled = ServiceFactory.create(name="shop"), ServiceFactory.create(name="shop")
        messages = [drawn_event(dice) for _ in range(EVENTS)]
        for number in range(DEPLOYS):
            messages += drawn_deploy(dice, number)
        messages.sort(key=lambda pair: pair[0])
        late = sorted([(at + dice.uniform(0, 3 * DAY), message) for at, message in messages], key=lambda pair: pair[0])

        play(in_order, messages, batch=100)
        play(shuffled, late, batch=dice.randrange(1, 200))

        assert state(shuffled) == state(in_order)

    try_one()
