"""Deploys that nobody reported are found by what users run, and taken back when the report comes."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploys import clock
from deploys.actions.catalog import make_service
from deploys.actions.deploys import record
from deploys.actions.inferred import absorb_inferred, record_inferred
from deploys.domain.changes import DeployReport
from deploys.models import Change, Deploy, Environment, Fact, FactOrigin, Role, Service
from incidents.actions.digest import digest_events
from incidents.actions.drift import find_drift
from incidents.actions.traffic import TrafficLine, record_sessions
from incidents.models import ReleaseSighting
from incidents.queries.releases_seen import drift_of_service
from tests.conftest import NOON
from tests.deploys.views.pages import text_of
from tests.factories.catalog import MembershipFactory, TeamFactory
from tests.factories.errors import minutes, parsed_event

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]
DAY = dt.timedelta(days=1)


@pytest.fixture
def service() -> Service:
    """1.0 is reported and seen for ten days."""
    made = make_service(team=TeamFactory(), name="shop", now=NOON - 10 * DAY)
    report(made, "1.0", at=NOON - 10 * DAY)
    hear(made, "shop@1.0", at=NOON - 9 * DAY)
    find_drift(now=NOON - 9 * DAY)
    return made


def report(service: Service, release: str, *, at: dt.datetime, received_at: dt.datetime | None = None) -> Deploy:
    told = DeployReport(
        id=f"run-{release}", service=service.name, release=release, status="success", started_at=at, finished_at=at
    )
    return record(team=service.team, report=told, source="api", received_at=received_at or at).deploy


def hear(service: Service, release: str, *, at: dt.datetime, sessions: int = 50) -> None:
    lines = [TrafficLine(at=at, seconds=60, count=sessions, release=release)]
    record_sessions(service=service, lines=lines, received_at=at)


def listed(service: Service) -> list[tuple[str, str, dt.datetime, str]]:
    rows = Deploy.objects.filter(service=service).order_by("started_at", "external_id")
    return [(row.source, row.release.version if row.release else "", row.started_at, row.status) for row in rows]


def take_over(service: Service) -> None:
    """1.1 serves everybody from half past eleven; nobody reports it."""
    hear(service, "shop@1.1", at=NOON - minutes(30))
    find_drift(now=NOON - minutes(25))
    hear(service, "shop@1.1", at=NOON - minutes(5))


def test_a_release_that_took_over_becomes_one_inferred_deploy(service: Service) -> None:
    take_over(service)

    assert (find_drift(now=NOON), find_drift(now=NOON + minutes(2))) == (1, 0)
    assert listed(service)[1:] == [("inferred", "shop@1.1", NOON - minutes(30), "success")]
    fact = Fact.objects.get(team=service.team, kind="deploy", source="inferred")
    assert (fact.origin, fact.received_at) == (FactOrigin.MODEL, NOON)
    assert drift_of_service(service, now=NOON) == []


def test_a_young_release_waits_for_its_report(service: Service) -> None:
    hear(service, "shop@1.1", at=NOON - minutes(10))

    assert find_drift(now=NOON) == 0
    assert len(listed(service)) == 1


def test_errors_tell_it_where_no_sessions_come(service: Service) -> None:
    events = [
        parsed_event(release="shop@1.1", timestamp=NOON - minutes(33) + dt.timedelta(seconds=20 * n)) for n in range(40)
    ]
    digest_events(service=service, events=events, received_at=NOON)

    assert find_drift(now=NOON) == 1
    assert listed(service)[1:] == [("inferred", "shop@1.1", NOON - minutes(33), "success")]


def test_everybody_back_on_the_old_release_is_an_unreported_rollback(service: Service) -> None:
    report(service, "1.1", at=NOON - minutes(300))
    hear(service, "shop@1.1", at=NOON - minutes(120))
    find_drift(now=NOON - minutes(115))
    hear(service, "shop@1.0", at=NOON - minutes(20))

    assert find_drift(now=NOON) == 1
    source, release, at, status = listed(service)[-1]
    assert (source, release, status) == ("inferred", "shop@1.0", "success")
    assert at == NOON - minutes(115)
    assert find_drift(now=NOON) == 0


def test_a_report_that_comes_late_takes_the_place(
    service: Service, django_capture_on_commit_callbacks: pytest.FixtureRequest
) -> None:
    take_over(service)
    find_drift(now=NOON)
    report(service, "1.1", at=NOON - minutes(33), received_at=NOON + minutes(20))

    assert absorb_inferred(now=NOON + minutes(20)) == 1
    assert absorb_inferred(now=NOON + minutes(21)) == 0
    assert find_drift(now=NOON + minutes(22)) == 0
    taken = Deploy.objects.get(source="inferred")
    assert (taken.status, taken.live_at) == ("failure", None)
    assert taken.description == "Inferred from errors and sessions, and reported later as run-1.1."


def test_it_is_not_inferred_what_was_reported_meanwhile(service: Service) -> None:
    report(service, "1.1", at=NOON - minutes(31), received_at=NOON)
    place = Environment.objects.get(team=service.team, name="production")

    made = record_inferred(
        service=service, environment=place, release="shop@1.1", at=NOON - minutes(30), why="", now=NOON
    )

    assert made is None


def test_other_releases_absorb_nothing(service: Service) -> None:
    take_over(service)
    find_drift(now=NOON)
    report(service, "1.2", at=NOON - minutes(3))

    changes = list(Change.objects.filter(service=service).values_list("pk", flat=True))
    assert absorb_inferred(now=NOON, change_ids=changes) == 0
    assert absorb_inferred(now=NOON) == 0


def test_sightings_are_remembered_and_bounded(service: Service) -> None:
    for n in range(3):
        hear(service, "shop@1.1", at=NOON - minutes(30 - n))
    find_drift(now=NOON - minutes(15))
    hear(service, "shop@1.1", at=NOON - minutes(2))
    find_drift(now=NOON)

    row = ReleaseSighting.objects.get(release="shop@1.1")
    assert (row.first_seen_at, row.last_seen_at) == (NOON - minutes(30), NOON)


def test_its_cost_does_not_follow_what_is_stored(service: Service) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            find_drift(now=NOON)
        return len(queries)

    hear(service, "shop@1.0", at=NOON - minutes(5))
    find_drift(now=NOON)
    before = cost()
    for n in range(20):
        hear(service, "shop@1.0", at=NOON - DAY - minutes(n))

    assert cost() == before


def test_the_pages_say_so(client: Client, service: Service) -> None:
    member = MembershipFactory(team=service.team, role=Role.VIEWER)
    client.force_login(member.user)
    take_over(service)
    with clock.at(NOON):
        before = text_of(client.get(f"/t/{service.team.slug}/services/{service.public_id}/"))
        find_drift(now=NOON)
        after = text_of(client.get(f"/t/{service.team.slug}/services/{service.public_id}/"))
        deploy = Deploy.objects.get(source="inferred")
        page = text_of(client.get(f"/t/{service.team.slug}/deploys/{deploy.change.public_id}/"))

    said = "Drift Users in production are on shop@1.1, a release nobody reported."
    assert said in before
    assert said not in after
    assert "shop@1.1 inferred" in after
    assert "Inferred Nobody reported this. Errors and sessions come from shop@1.1 instead of 1.0 since then." in page
    assert "nobody; seen in errors and sessions" in page


@pytest.mark.parametrize(
    ("release", "said"),
    [
        ("build-9", "Errors and sessions from production name releases like shop@1.0, deploys like build-9."),
        ("2.0", "2.0 was reported live in production, but nothing has been seen of it: users are on shop@1.0."),
    ],
)
def test_the_page_names_what_cannot_be_inferred(client: Client, release: str, said: str) -> None:
    service = make_service(team=TeamFactory(), name="shop", now=NOON - 10 * DAY)
    client.force_login(MembershipFactory(team=service.team, role=Role.VIEWER).user)
    if release == "2.0":
        report(service, "1.0", at=NOON - 10 * DAY)
    hear(service, "shop@1.0", at=NOON - minutes(30))
    report(service, release, at=NOON - minutes(55))
    with clock.at(NOON):
        find_drift(now=NOON)
        page = text_of(client.get(f"/t/{service.team.slug}/services/{service.public_id}/"))

    assert said in page


def test_a_rollback_is_named_before_it_is_inferred(client: Client, service: Service) -> None:
    client.force_login(MembershipFactory(team=service.team, role=Role.VIEWER).user)
    report(service, "1.1", at=NOON - minutes(300))
    hear(service, "shop@1.1", at=NOON - minutes(120))
    find_drift(now=NOON - minutes(115))
    hear(service, "shop@1.0", at=NOON - minutes(20))
    with clock.at(NOON):
        page = text_of(client.get(f"/t/{service.team.slug}/services/{service.public_id}/"))

    assert "Users in production are on shop@1.0 again instead of 1.1, and nobody reported a rollback." in page
