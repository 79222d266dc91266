from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploys import clock, ports
from deploys.actions.catalog import make_service, set_owner_group
from deploys.actions.deliveries import log_delivery
from deploys.actions.deploys import record
from deploys.actions.listing import refresh_services
from deploys.domain.changes import DeployReport
from deploys.formats.sources import KINDS
from deploys.models import Delivery, Fact, Membership, Role, Service, Source, Team
from deploys.ports import Column
from deploys.queries.deliveries import refused_last
from deploys.views.services import refusal_words
from tests.conftest import NOON
from tests.deploys.views.pages import text_of
from tests.factories.access import deliver, github_source
from tests.factories.catalog import MembershipFactory
from tests.factories.webhooks import source_of

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def team(client: Client) -> Team:
    """A team whose admin is signed in."""
    membership = MembershipFactory(role=Role.ADMIN)
    client.force_login(membership.user)
    return membership.team


def tell(team: Team, service: str, release: str, *, hours: float, **more: Any) -> None:
    started_at = NOON - dt.timedelta(hours=hours)
    report = DeployReport(
        id=f"{release}-{hours}", service=service, release=release, status="success", started_at=started_at,
        finished_at=started_at, **more,
    )  # fmt: skip
    deploy = record(team=team, report=report, source="api", received_at=started_at).deploy
    refresh_services([deploy.service_id], now=NOON)


def get(client: Client, path: str) -> str:
    with clock.at(NOON):
        answer = client.get(path)
    assert answer.status_code == 200
    return text_of(answer)


def address(service: Service, more: str = "") -> str:
    return f"/t/{service.team.slug}/services/{service.public_id}/{more}"


def test_the_list_says_what_is_live(client: Client, team: Team) -> None:
    make_service(team=team, name="shop", now=NOON)
    tell(team, "shop", "1.0", hours=5)
    tell(team, "shop", "1.1", hours=4)
    tell(team, "shop", "1.0", hours=3)
    tell(team, "shop", "1.2", hours=2, environment="staging")
    make_service(team=team, name="till", now=NOON, critical=False)
    tell(team, "bank", "7", hours=1, environment="Live-EU")

    text = get(client, f"/t/{team.slug}/services/")

    assert "shop 1.0 since 09:00 2 h ago never" in text
    assert "till not critical nothing heard never never" in text
    assert "bank first heard of 7 since 11:00 1 h ago never" in text
    assert "Add a service" in text


def test_the_list_is_ordered_by_the_first_column_that_ranks(
    client: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "_columns", {})
    for name in ("a", "b", "c"):
        make_service(team=team, name=name, now=NOON)
    worst = Service.objects.get(name="c").pk
    ports.register_column(
        "service-list", Column("Budget", lambda _, rows: {worst: "gone"}, rank=lambda _, rows: {worst: -1.0})
    )

    answer = client.get(f"/t/{team.slug}/services/")

    assert [line[0].name for line in answer.context["lines"]] == ["c", "a", "b"]
    assert "gone" in text_of(answer)


def test_the_list_costs_the_same_for_one_and_three(client: Client, team: Team) -> None:
    counts = []
    for n in range(3):
        tell(team, f"shop-{n}", "1.0", hours=5)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/t/{team.slug}/services/")
        counts.append(len(queries))

    assert counts[0] == counts[2]
    assert counts[0] <= 24  # a dozen of them read the facts behind the budgets, shared between requests


def test_a_team_without_services_is_told_the_next_step(client: Client, team: Team) -> None:
    assert "Add the first one." in get(client, f"/t/{team.slug}/services/")

    Membership.objects.update(role=Role.VIEWER)
    assert "An administrator of the team adds the first one." in get(client, f"/t/{team.slug}/services/")


def test_a_page_shows_what_is_live_where_and_how_to_set_it_up(client: Client, team: Team) -> None:
    service = make_service(team=team, name="shop", now=NOON, users=1200, depends_on=["till"])
    set_owner_group(service=service, name="Shop front")
    tell(team, "shop", "1.1", hours=4)
    tell(team, "shop", "1.2", hours=2, environment="staging", artifact="sha256:ab")
    source, _ = github_source(team)

    text = get(client, address(service))

    assert "1.1 in production" in text
    assert "owned by Shop front" in text
    assert "production 1.1 08:00 not told staging 1.2 10:00 sha256:ab" in text
    assert "Depends on till" in text
    assert "people who depend on it 1,200" in text
    assert service.dsn_keys.get().public_key in text
    assert f"/webhooks/github/{source.public_id}" in text
    assert "Needed by shop" in get(client, address(Service.objects.get(name="till")))


def test_each_webhook_says_what_it_is_and_where_its_address_goes(client: Client, team: Team) -> None:
    service = make_service(team=team, name="shop", now=NOON)
    assert "Deploys: a webhook No webhook takes deploys of this service yet." in get(client, address(service))
    source_of("circleci", team, name="Builds")
    github_source(team)

    text = get(client, address(service))

    assert "Deploys: a webhook, 2 made" in text
    assert "Builds CircleCI" in text
    for kind in (KINDS["circleci"], KINDS["github"]):
        assert f"{kind.setup} Events: {kind.events}." in text


def test_viewers_see_no_dsn(client: Client, team: Team) -> None:
    service = make_service(team=team, name="shop", now=NOON)
    Membership.objects.update(role=Role.VIEWER)

    text = get(client, address(service))

    assert service.dsn_keys.get().public_key not in text
    assert "Edit…" not in text


def test_a_page_costs_the_same_with_more_deploys(client: Client, team: Team) -> None:
    service = make_service(team=team, name="shop", now=NOON)
    counts = []
    for n in range(4):
        tell(team, "shop", f"1.{n}", hours=9 - n)
        with CaptureQueriesContext(connection) as queries:
            client.get(address(service))
        counts.append(len(queries))

    assert counts[0] == counts[3]
    assert counts[0] <= 35


def test_a_refused_last_delivery_is_told_until_a_good_one_comes(client: Client, team: Team) -> None:
    service = make_service(team=team, name="shop", now=NOON)
    other = make_service(team=team, name="till", now=NOON)
    source, secret = github_source(team, service)
    quiet = get(client, address(service))
    with clock.at(NOON):
        deliver(client, source, "another", b"{}", event="ping")
    said, elsewhere = get(client, address(service)), get(client, address(other))
    Source.objects.update(is_active=False)
    off = get(client, address(service))
    Source.objects.update(is_active=True)
    with clock.at(NOON):
        deliver(client, source, secret, b"{}", event="ping")

    expected = "The last GitHub delivery of GitHub was refused just now : wrong signature"
    assert [expected in text for text in (quiet, said, elsewhere, off, get(client, address(service)))] == [
        False, True, False, False, False,
    ]  # fmt: skip


def test_a_source_of_the_team_concerns_a_service_if_nothing_of_it_is_proven_or_the_service_is_named(team: Team) -> None:
    service, other = (make_service(team=team, name=name, now=NOON) for name in ("shop", "till"))
    source, _ = github_source(team)

    def concerns(**more: Any) -> list[bool]:
        log_delivery(team=team, source=source, kind="github", received_at=NOON, verdict="refused", **more)
        return [bool(refused_last(each, [source])) for each in (service, other)]

    assert concerns(signature="invalid") == [True, True]
    assert concerns(signature="valid", reason="unknown-repository: no rule names x") == [False, False]
    assert concerns(signature="valid", service=other) == [False, True]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("missing-signature: expected X", "missing signature"),
        ("no rule names x: y", "no rule names x: y"),
        ("unknown-repository", "unknown-repository"),
    ],
)
def test_why_a_delivery_was_refused_in_words(reason: str, words: str) -> None:
    assert refusal_words(Delivery(reason=reason)) == words


def test_editing_records_only_what_was_changed(client: Client, team: Team) -> None:
    service = make_service(team=team, name="shop", now=NOON, users=5)
    make_service(team=team, name="till", now=NOON)
    form = {"is_critical": "on", "users": "5", "owner_group": "Shop front", "depends_on": ["till"]}

    answer = client.post(address(service, "edit/"), form)
    again = client.post(address(service, "edit/"), form)

    assert (answer.status_code, again.status_code) == (302, 302)
    service.refresh_from_db()
    assert service.owner_group is not None
    assert (service.owner_group.name, service.users_count, service.is_critical) == ("Shop front", 5, True)
    facts = Fact.objects.filter(kind="service", origin="person")
    assert [each.payload for each in facts] == [{"service": "shop", "depends_on": ["till"]}]
    assert facts.get().actor == Membership.objects.get().user


def test_editing_can_take_values_back(client: Client, team: Team) -> None:
    service = make_service(team=team, name="shop", now=NOON, users=5, depends_on=["till"])
    set_owner_group(service=service, name="Shop front")

    client.post(address(service, "edit/"), {"users": "", "owner_group": ""})

    service.refresh_from_db()
    assert (service.users_count, service.is_critical, service.owner_group) == (None, False, None)
    assert service.dependencies.count() == 0


def test_an_admin_sets_how_fast_a_service_may_send(client: Client, team: Team) -> None:
    service = make_service(team=team, name="shop", now=NOON)

    client.post(address(service, "edit/"), {"event_rate": "0", "event_burst": "50"})
    service.refresh_from_db()
    assert (service.event_rate, service.event_burst) == (0, 50)

    client.post(address(service, "edit/"), {"users": ""})
    service.refresh_from_db()
    assert (service.event_rate, service.event_burst) == (None, None)


def test_editing_refuses_what_cannot_be(client: Client, team: Team) -> None:
    service = make_service(team=team, name="shop", now=NOON)

    answers = [
        client.post(address(service, "edit/"), {"users": "-1"}),
        client.post(address(service, "edit/"), {"owner_group": "a\x01b"}),
    ]

    assert [each.status_code for each in answers] == [422, 422]
    assert Fact.objects.filter(kind="service", origin="person").count() == 0
