"""A service nobody has watched yet is neither up nor down."""

import datetime as dt
from typing import Any

import pytest

from deploys.actions.catalog import make_service
from deploys.models import Fact, Service
from incidents.actions.checks import CheckResult, record_check
from incidents.actions.traffic import TrafficLine, record_sessions
from incidents.actions.watching import begin_unwatched, end_unwatched
from incidents.models import MonitoringGap
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
