"""A service nobody has watched yet is neither up nor down."""

import datetime as dt
from typing import Any

import pytest

from deploys.actions import schedules
from deploys.actions.catalog import make_service
from deploys.actions.schedules import LEASE
from deploys.models import Fact, ScheduledJob, Service
from incidents.actions.checks import CheckResult, record_check
from incidents.actions.monitors import add_monitor
from incidents.actions.traffic import TrafficLine, record_sessions
from incidents.actions.watching import begin_unwatched, end_unwatched, note_absence
from incidents.models import Monitor, MonitoringGap
from incidents.tasks import MONITORS
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LATER = NOON + dt.timedelta(hours=2)


def gaps() -> list[tuple[dt.datetime, dt.datetime | None]]:
    return list(MonitoringGap.objects.values_list("starts_at", "ends_at"))


@pytest.fixture
def service() -> Service:
    made = make_service(team=TeamFactory(), name="shop", now=NOON)
    Service.objects.filter(pk=made.pk).update(created_at=NOON)
    made.refresh_from_db()
    begin_unwatched(service=made, now=NOON)
    made.refresh_from_db()
    return made


def test_it_begins_unwatched_once(service: Service) -> None:
    assert not begin_unwatched(service=service, now=LATER)
    assert gaps() == [(NOON, None)]
    assert service.is_unwatched


def test_the_first_check_ends_it(service: Service) -> None:
    record_check(service=service, source="m", result=CheckResult(at=LATER, ok=False), received_at=LATER)
    record_check(
        service=service, source="m", result=CheckResult(at=LATER + dt.timedelta(hours=1), ok=True), received_at=LATER
    )

    assert gaps() == [(NOON, LATER)]


def test_traffic_ends_it(service: Service) -> None:
    record_sessions(service=service, lines=[TrafficLine(at=LATER, seconds=60, count=5)], received_at=LATER)

    assert gaps() == [(NOON, LATER)]
    service.refresh_from_db()
    assert not service.is_unwatched


def test_evidence_of_earlier_times_does_not_turn_it_round(service: Service) -> None:
    end_unwatched(service=service, at=NOON - dt.timedelta(days=1), now=LATER)

    assert gaps() == [(NOON, NOON)]


def test_a_person_may_say_that_outages_are_logged_by_hand(service: Service) -> None:
    ida = UserFactory()

    assert end_unwatched(service=service, at=LATER, now=LATER, by=ida)
    assert not end_unwatched(service=service, at=LATER, now=LATER, by=ida)
    assert Fact.objects.filter(kind="monitoring_gap", origin="person", actor=ida).count() == 1


def test_an_imported_past_tells_its_own_gaps(service: Service) -> None:
    other = make_service(team=service.team, name="old", now=NOON)
    Fact.objects.filter(team=service.team, kind="service", identity='["old"]').update(origin="import")

    assert not begin_unwatched(service=other, now=NOON)


@pytest.mark.usefixtures("noon")
def test_a_declared_service_begins_unwatched_by_itself(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        make_service(team=TeamFactory(), name="shop", now=NOON)

    assert gaps() == [(Service.objects.get().created_at, None)]


def test_own_downtime_is_a_gap_of_what_is_watched_from_here() -> None:
    team = TeamFactory()
    names = ("monitored", "by-hand", "still-unwatched", "retired", "stopped")
    made = {name: make_service(team=team, name=name, now=NOON) for name in names}
    for name in ("monitored", "still-unwatched", "retired", "stopped"):
        add_monitor(service=made[name], url="https://example.org/", now=NOON)
    begin_unwatched(service=made["still-unwatched"], now=NOON)
    Service.objects.filter(name="retired").update(retired_at=NOON)
    Monitor.objects.filter(service__name="stopped").update(is_active=False)

    told = [note_absence(since=LATER, until=LATER + dt.timedelta(minutes=more)) for more in (30, 31)]

    gap = MonitoringGap.objects.get(reason="Upshot did not run")
    assert told == [1, 1]
    assert (gap.starts_at, gap.ends_at, gap.is_for_all_services) == (LATER, LATER + dt.timedelta(minutes=30), False)
    assert [service.name for service in gap.services.all()] == ["monitored"]


def test_a_worker_that_comes_back_notes_the_gap(service: Service) -> None:
    add_monitor(service=service, url="https://example.org/", now=NOON)
    end_unwatched(service=service, at=NOON, now=NOON)
    later = NOON + dt.timedelta(hours=3)
    ScheduledJob.objects.create(name=MONITORS, period_seconds=1, due_at=later + LEASE, last_started_at=LATER)

    schedules.wake_due(now=later)

    assert gaps() == [(NOON, NOON), (LATER, later)]
