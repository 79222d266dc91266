from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploys.actions.facts import record_fact
from deploys.models import Team
from incidents.models import TrafficCount
from reliability.domain.intervals import Interval
from reliability.queries import knowledge, reports
from reliability.queries.traffic import traffic_known_by, traffic_lines
from tests.factories.catalog import TeamFactory

pytestmark = pytest.mark.database

WEDNESDAY = datetime(2026, 3, 11, 12, tzinfo=UTC)
THIRD = datetime(2026, 3, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(team: Team, kind: str, **payload: Any) -> None:  # Any: JSON
    record_fact(team=team, kind=kind, payload=payload, received_at=THIRD, origin="live")


def incident(team: Team, name: str, start: datetime, end: datetime | None, **more: Any) -> None:  # Any: JSON
    times = {"started_at": start.isoformat(), "restored_at": end and end.isoformat()}
    told(team, "incident", id=name, services=["shop"], **{"class": "downtime", **times, **more})


@pytest.fixture
def team() -> Team:
    """One deploy, one hour of downtime last week, one objective."""
    made = TeamFactory.create(zone="UTC")
    at = (THIRD - HOUR).isoformat()
    told(made, "deploy", id="d", service="shop", release="1", status="success", started_at=at, finished_at=at)
    incident(made, "INC-1", THIRD, THIRD + HOUR, causes=[{"kind": "deploy", "id": "d"}])
    told(made, "objective", id="o", service="shop", target=0.99, window_days=28)
    return made


@pytest.mark.django_db
def test_the_last_weeks_end_with_the_running_one(team: Team) -> None:
    points = reports.last_weeks(team=team, now=WEDNESDAY, count=3)

    assert [(point.label, point.is_running) for point in points] == [
        ("2026-W09", False),
        ("2026-W10", False),
        ("2026-W11", True),
    ]
    assert [point.availability["downtime_seconds"] for point in points] == [0, 3600, 0]
    assert [point.change_failure["failed_count"] for point in points] == [0, 1, 0]
    assert points[1].downtime_by_cause["own_change_seconds"] == 3600
    assert (points[1].from_at, points[1].to_at) == (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC))
    assert len(reports.last_weeks(team=team, now=WEDNESDAY, service="shop")) == 12
    assert reports.last_weeks(team=team, now=WEDNESDAY, service="nobody") == []


@pytest.mark.django_db
def test_weeks_by_instant_and_label(team: Team) -> None:
    label, window = reports.week_holding(team=team, at=WEDNESDAY)

    assert (label, window) == ("2026-W11", reports.week_labelled(team=team, label="2026-W11"))
    for wrong in ("2026-W54", "2026-11", "x"):
        with pytest.raises(ValueError, match=wrong):
            reports.week_labelled(team=team, label=wrong)


@pytest.mark.django_db
def test_a_report_now_is_the_report_as_of_now(team: Team) -> None:
    _, window = reports.week_holding(team=team, at=THIRD)

    now = reports.report_now(team=team, window=window, now=WEDNESDAY)

    assert now == reports.report_as_of(team=team, window=window, as_of=WEDNESDAY)
    assert now["objectives"]["o"]["report_spent_seconds"] == 3600


@pytest.mark.django_db
def test_objectives_are_evaluated_as_of_now(team: Team) -> None:
    assert reports.objectives_now(team=team, now=WEDNESDAY)["o"]["spent_seconds"] == 3600


@pytest.mark.django_db
def test_incidents_of_a_window(team: Team, django_assert_num_queries: Any) -> None:  # Any: a pytest-django fixture
    window = Interval(THIRD, THIRD + 3 * HOUR)
    incident(team, "INC-2", THIRD - 9 * HOUR, None)
    incident(team, "INC-3", THIRD - 9 * HOUR, THIRD - HOUR)
    incident(team, "INC-4", THIRD + HOUR, THIRD + HOUR)
    incident(team, "INC-5", THIRD + HOUR, None, dismissed=True)
    incident(team, "INC-6", THIRD + HOUR, None, duplicate_of="INC-1")
    incident(team, "INC-7", THIRD + 3 * HOUR, None)
    incident(TeamFactory.create(), "INC-8", THIRD, None)

    with django_assert_num_queries(6):
        found = [
            (each.slug, [link.service.name for link in each.incident_services.all()])
            for each in reports.incidents_in(team=team, window=window)
        ]

    assert found == [("INC-4", ["shop"]), ("INC-1", ["shop"]), ("INC-2", ["shop"])]


@pytest.mark.django_db(transaction=True)
def test_pages_share_what_is_known_until_a_fact_comes(
    team: Team, django_assert_num_queries: Any
) -> None:  # Any: as above
    knowledge.forget()
    reports.last_weeks(team=team, now=WEDNESDAY)

    with django_assert_num_queries(1):
        reports.last_weeks(team=team, now=WEDNESDAY + timedelta(seconds=20))
    incident(team, "INC-2", WEDNESDAY - HOUR, None)

    points = reports.last_weeks(team=team, now=WEDNESDAY + timedelta(seconds=25))
    assert points[-1].availability["downtime_seconds"] == 3625
    points = reports.last_weeks(team=team, now=WEDNESDAY + timedelta(minutes=1))
    assert points[-1].availability["downtime_seconds"] == 3660
    knowledge.forget()


@pytest.mark.django_db(transaction=True)
def test_only_so_many_teams_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    knowledge.forget()
    monkeypatch.setattr(knowledge, "_KEPT_TEAMS", 1)

    first, second = TeamFactory.create(), TeamFactory.create()
    for team in (first, second, first):
        assert knowledge.knowledge_now(team=team, now=WEDNESDAY).history.services == {}

    assert list(knowledge._shared) == [first.public_id]
    knowledge.forget()


def counted(team: Team, count: int, received_at: datetime | None, origin: str = "live", failed: int | None = 0) -> None:
    service = team.services.get(name="shop")
    environment = team.environments.get(name="production")
    TrafficCount.objects.create(
        service=service,
        environment=environment,
        at=THIRD,
        seconds=60,
        count=count,
        failed=failed,
        origin=origin,
        received_at=received_at,
    )


@pytest.mark.django_db
def test_live_counts_add_up_as_they_were_known(team: Team) -> None:
    counted(team, 5, THIRD)
    counted(team, 7, THIRD + HOUR, failed=2)
    line = {"service": "shop", "environment": "production", "at": "2026-03-03T10:00:00Z", "seconds": 60}

    assert traffic_known_by(team=team, as_of=THIRD) == [{**line, "count": 5, "failed": 0}]
    assert traffic_known_by(team=team, as_of=WEDNESDAY) == [{**line, "count": 12, "failed": 2}]
    assert traffic_known_by(team=team, as_of=WEDNESDAY, span=Interval(THIRD + HOUR, WEDNESDAY)) == []
    assert traffic_lines(team=team) == [({**line, "count": 12, "failed": 2}, THIRD + HOUR)]


@pytest.mark.django_db
def test_imported_counts_replace_each_other_and_are_exported_singly(team: Team) -> None:
    counted(team, 7, THIRD + HOUR, "import", None)
    counted(team, 5, None, "import", None)
    line = {"service": "shop", "environment": "production", "at": "2026-03-03T10:00:00Z", "seconds": 60}

    assert traffic_known_by(team=team, as_of=WEDNESDAY) == [{**line, "count": 7}]
    assert traffic_known_by(team=team, as_of=THIRD) == [{**line, "count": 5}]
    assert traffic_lines(team=team) == [({**line, "count": 5}, None), ({**line, "count": 7}, THIRD + HOUR)]


@pytest.mark.django_db
def test_an_objective_by_requests_reads_the_counts(team: Team) -> None:
    counted(team, 500, THIRD, failed=3)
    told(team, "objective", id="r", service="shop", target=0.99, sli="requests", window_days=28)

    assert reports.objectives_now(team=team, now=WEDNESDAY)["r"]["spent_requests"] == 3
