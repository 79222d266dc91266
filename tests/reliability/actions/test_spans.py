"""The roll-up of spans follows the fact log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploys.actions.facts import record_fact
from deploys.models import Fact, Team
from reliability import tasks
from reliability.actions.spans import settle_spans
from reliability.models import NamedChange, RecordSpan, SpanProgress
from reliability.queries.knowledge import log_state
from reliability.queries.spans import news_since
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(team: Team, kind: str, at: datetime, **payload: Any) -> None:  # Any: JSON
    record_fact(team=team, kind=kind, payload=payload, received_at=at, origin="live", source="api")


def rows(team: Team) -> list[tuple[Any, ...]]:  # Any: column values
    found = RecordSpan.objects.filter(team=team).order_by("kind", "identity")
    return list(found.values_list("kind", "identity", "level", "first_at", "last_at", "known_at", "told_at"))


@pytest.fixture
def team() -> Team:
    """A deploy, and an incident that names it by its public id and is open."""
    made: Team = TeamFactory.create()
    told(
        made,
        "deploy",
        TEN,
        id="d",
        service="shop",
        status="success",
        started_at=TEN.isoformat(),
        finished_at=TEN.isoformat(),
    )
    deploy = made.deploys.get()
    links = [{"kind": "deploy", "id": str(deploy.change.public_id)}]
    begun = (TEN + HOUR).isoformat()
    told(
        made, "incident", TEN + HOUR, id="i", services=["shop"], started_at=begun, causes=links, **{"class": "downtime"}
    )
    return made


def test_a_deploy_reaches_as_far_as_the_incidents_that_name_it(team: Team) -> None:
    settle_spans(team=team)

    assert rows(team) == [
        ("deploy", '["api","shop","d"]', 8, TEN, None, TEN, TEN),
        ("incident", '["api","i"]', 8, TEN + HOUR, None, TEN + HOUR, TEN + HOUR),
    ]
    assert NamedChange.objects.get().reference == str(team.deploys.get().change.public_id)

    told(team, "incident", TEN + 3 * HOUR, id="i", restored_at=(TEN + 2 * HOUR).isoformat())
    settle_spans(team=team)

    assert rows(team) == [
        ("deploy", '["api","shop","d"]', 0, TEN, TEN + 3 * HOUR, TEN, TEN),
        ("incident", '["api","i"]', 0, TEN + HOUR, TEN + 3 * HOUR, TEN + HOUR, TEN + 3 * HOUR),
    ]


def test_a_deploy_told_of_after_its_incident_is_stretched_too(team: Team) -> None:
    causes = [{"kind": "deploy", "id": "late"}]
    told(
        team,
        "incident",
        TEN,
        id="j",
        services=["shop"],
        started_at=TEN.isoformat(),
        causes=causes,
        **{"class": "downtime"},
    )
    settle_spans(team=team)
    told(team, "deploy", TEN, id="late", service="shop", started_at=(TEN - HOUR).isoformat())
    settle_spans(team=team)

    late = RecordSpan.objects.get(team=team, name="late")

    assert (late.first_at, late.last_at) == (TEN - HOUR, None)


def test_the_size_of_the_steps_makes_no_difference(team: Team) -> None:
    told(team, "incident", TEN + 3 * HOUR, id="i", restored_at=(TEN + 2 * HOUR).isoformat())
    settle_spans(team=team, batch=1)
    in_steps = rows(team)
    RecordSpan.objects.all().delete()
    SpanProgress.objects.all().delete()

    assert settle_spans(team=team) == Fact.objects.filter(team=team).count()
    assert rows(team) == in_steps
    assert settle_spans(team=team) == 0


def test_it_stops_where_it_is_told_to_and_goes_on_from_there(team: Team) -> None:
    count = Fact.objects.filter(team=team).count()

    assert settle_spans(team=team, most=1) == 1
    assert (log_state(team).count, log_state(team).fresh) == (count, count - 1)
    assert settle_spans(team=team, most=50) == count - 1
    assert (log_state(team).count, log_state(team).fresh) == (count, 0)


def test_who_comes_second_writes_nothing(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = news_since(team=team, fact_id=0, most=10)
    settle_spans(team=team)
    before = rows(team)
    RecordSpan.objects.filter(team=team).update(level=5)
    monkeypatch.setattr("reliability.actions.spans.progress_of", lambda team: SpanProgress(team=team))
    monkeypatch.setattr("reliability.actions.spans.news_since", lambda **_: stale)

    settle_spans(team=team, most=1)

    assert {row[2] for row in rows(team)} == {5}
    assert len(before) == 2


def test_the_job_settles_every_team(team: Team) -> None:
    tasks.settle_all_spans()

    assert len(rows(team)) == 2
    assert log_state(team).fresh == 0
