"""Monitors are set from the page of their service."""

import datetime as dt

import pytest
from django.test import Client

from deploys.actions.catalog import make_service
from deploys.models import Membership, Role, Service
from incidents.actions.checks import CheckResult, record_check
from incidents.actions.jobs import record_check_ins
from incidents.actions.watching import begin_unwatched
from incidents.formats.check_ins import CheckIn, JobConfig
from incidents.models import Job, Monitor, MonitoringGap
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("noon")]


@pytest.fixture
def admin(client: Client) -> Membership:
    membership = MembershipFactory(role=Role.ADMIN)
    client.force_login(membership.user)
    return membership


@pytest.fixture
def service(admin: Membership) -> Service:
    made = make_service(team=admin.team, name="shop", now=NOON)
    begin_unwatched(service=made, now=NOON)
    return made


def page(service: Service, more: str = "") -> str:
    return f"/t/{service.team.slug}/services/{service.public_id}/{more}"


def test_an_unwatched_service_says_that_its_uptime_is_unknown(client: Client, service: Service) -> None:
    assert "Nobody watches it yet" in client.get(page(service)).content.decode()


def test_a_monitor_is_added_seen_and_stopped(client: Client, service: Service) -> None:
    client.post(page(service, "monitors/"), {"url": "https://shop.example/health", "period_seconds": "15"})
    monitor = Monitor.objects.get()
    record_check(
        service=service, source=str(monitor.public_id), received_at=NOON,
        result=CheckResult(at=NOON - dt.timedelta(seconds=9), ok=False, status=503, latency_ms=12, problem="answered 503"),
    )  # fmt: skip

    shown = client.get(page(service)).content.decode()
    client.post(page(service, f"monitors/{monitor.public_id}/stop/"))

    assert "https://shop.example/health" in shown
    assert "answered 503" in shown
    assert Monitor.objects.filter(is_active=True).count() == 0


def test_jobs_stand_beside_the_monitors(client: Client, service: Service) -> None:
    config = JobConfig("crontab", "0 2 * * *", "Europe/Berlin")
    report = CheckIn("a" * 32, "nightly", "error", None, None, "production", "", config)
    record_check_ins(service=service, check_ins=[(report, NOON - dt.timedelta(hours=3))], now=NOON)
    silent = CheckIn("b" * 32, "<b>hourly</b>", "ok", None, None, "staging", "")
    record_check_ins(service=service, check_ins=[(silent, NOON)], now=NOON)

    shown = client.get(page(service)).content.decode()

    assert "nightly" in shown
    assert "0 2 * * *" in shown
    assert "Europe/Berlin" in shown
    assert "failed" in shown
    assert "2026-03-05" in shown
    assert "&lt;b&gt;hourly" in shown
    assert "no schedule told" in shown


@pytest.mark.parametrize(
    ("kind", "schedule", "words"),
    [("interval", "1 day", "every day"), ("interval", "10 minute", "every 10 minutes"), ("crontab", "0 2 * * *", "0 2 * * *")],
)  # fmt: skip
def test_a_schedule_in_words(kind: str, schedule: str, words: str) -> None:
    assert Job(schedule_kind=kind, schedule=schedule).schedule_words == words


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "file:///etc/passwd", "nonsense", ""])
def test_an_address_that_may_not_be_asked_is_refused_with_the_reason(
    client: Client, service: Service, url: str
) -> None:
    answer = client.post(page(service, "monitors/"), {"url": url, "period_seconds": "60"}, follow=True)

    assert not Monitor.objects.exists()
    assert "Not added" in answer.content.decode()


def test_stopping_what_is_not_there_is_not_found(client: Client, service: Service) -> None:
    assert client.post(page(service, "monitors/01900000-0000-7000-8000-000000000000/stop/")).status_code == 404


def test_a_person_may_vouch_for_logging_by_hand(client: Client, service: Service) -> None:
    client.post(page(service, "watched-by-hand/"))

    assert MonitoringGap.objects.get().ends_at == NOON
    assert "rests on logged incidents" in client.get(page(service)).content.decode()
