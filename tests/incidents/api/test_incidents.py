"""Incidents that programs declare, update and read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from deploys import clock
from deploys.models import Delivery, Fact, Membership, Scope, Team
from incidents.actions import impact
from incidents.models import ImpactClass, Incident
from tests.conftest import NOON
from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory, UserFactory
from tests.factories.incidents import incident_of, service_of

pytestmark = [pytest.mark.django_db(databases="__all__")]
ADDRESS = "/api/v1/incidents"
WRITE = (Scope.INCIDENTS_WRITE, Scope.SERVICES_WRITE)


@pytest.fixture(autouse=True)
def noon() -> Any:
    with clock.at(NOON):
        yield


@pytest.fixture
def team() -> Team:
    return TeamFactory()


def post(client: Client, team: Team, scopes: tuple[str, ...] = WRITE, **message: Any) -> Any:
    return client.post(ADDRESS, message, content_type="application/json", headers=bearer(team, scopes))


def test_a_title_is_enough(client: Client, team: Team) -> None:
    service_of(team)

    answer = post(client, team, title="Checkout fails")

    assert (answer.status_code, answer.headers["Upshot-Verdict"]) == (201, "created")
    body = answer.json()
    assert {key: body[key] for key in ("incident", "title", "class", "status", "services", "started_at", "detected_at")} == {
        "incident": "INC-1", "title": "Checkout fails", "class": "multi_user", "status": "open", "services": ["shop"],
        "started_at": "2026-03-04T12:00:00Z", "detected_at": "2026-03-04T12:00:00Z",
    }  # fmt: skip
    assert Incident.objects.get().timeline.get().text.startswith("Declared by the API token ")
    assert Delivery.objects.get().verdict == "created"


def test_the_same_message_twice_changes_nothing_and_a_later_one_ends_it(client: Client, team: Team) -> None:
    message = {"id": "ops-7", "title": "Checkout fails", "service": "shop", "class": "downtime", "note": "See *here*."}

    verdicts = [post(client, team, **message).json()["verdict"] for _ in range(3)]
    ended = post(client, team, id="ops-7", restored_at="2026-03-04T12:00:00Z").json()
    again = post(client, team, id="ops-7", restored_at=None).json()

    assert verdicts == ["created", "duplicate", "duplicate"]
    assert (ended["verdict"], ended["status"], again["status"]) == ("updated", "restored", "open")
    assert list(Incident.objects.get().timeline.order_by("pk").values_list("kind", flat=True)) == [
        "opened", "note", "clock", "clock",
    ]  # fmt: skip
    assert Fact.objects.filter(kind="incident").count() == 3


def test_a_persons_word_stands(client: Client, team: Team) -> None:
    post(client, team, id="ops-7", title="Checkout fails", service="shop")
    ida = UserFactory()
    Membership.objects.create(team=team, user=ida, role="responder", created_at=NOON)
    impact.set_class(incident=Incident.objects.get(), impact_class=ImpactClass.IMPACTLESS, by=ida, now=NOON)

    answer = post(client, team, id="ops-7", **{"class": "downtime"}).json()

    assert (answer["verdict"], answer["class"]) == ("duplicate", "impactless")


@pytest.mark.parametrize(
    ("message", "pointer"),
    [
        ({}, "#/title"),
        ({"title": "x", "class": "huge", "service": "shop"}, "#/class"),
        ({"title": "x", "service": "shop", "started_at": "2026-03-05T12:00:00Z"}, "#/started_at"),
        (
            {
                "title": "x",
                "service": "shop",
                "started_at": "2026-03-04T11:00:00Z",
                "restored_at": "2026-03-04T10:00:00Z",
            },
            "#/restored_at",
        ),
        ({"title": "x"}, "#/services"),
    ],
)
def test_what_cannot_be_is_refused(client: Client, team: Team, message: dict[str, Any], pointer: str) -> None:
    answer = post(client, team, **message)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert Incident.objects.count() == 0
    assert Delivery.objects.get().verdict == "refused"


def test_a_service_is_only_made_by_who_may(client: Client, team: Team) -> None:
    answer = post(client, team, (Scope.INCIDENTS_WRITE,), title="x", services=["shop"])

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "unknown-service")


def test_the_list_is_narrowed_and_goes_on(client: Client, team: Team) -> None:
    for minute in range(52):
        incident_of(team, title=f"n{minute}", started_at=f"2026-03-04T11:{minute:02}:00Z")
    incident_of(team, title="down", **{"class": "downtime"})
    incident_of(TeamFactory(), title="theirs")
    headers = bearer(team, (Scope.INCIDENTS_READ,))

    first = client.get(ADDRESS, headers=headers).json()
    second = client.get(first["next"].partition("://")[2].partition("/")[2].join(["/", ""]), headers=headers).json()
    down = client.get(f"{ADDRESS}?class=downtime&q=dow&service=shop", headers=headers).json()

    assert [row["title"] for row in first["results"]][:2] == ["down", "n51"]
    assert [row["title"] for row in second["results"]] == ["n2", "n1", "n0"]
    assert second["next"] is None
    assert [row["title"] for row in down["results"]] == ["down"]
    for bad in ("state=odd", "class=odd", "cause=odd", "service=odd"):
        assert client.get(f"{ADDRESS}?{bad}", headers=headers).status_code == 422


@pytest.mark.parametrize("count", [1, 3])
def test_list_queries(client: Client, team: Team, count: int, django_assert_num_queries: Any) -> None:
    for _ in range(count):
        incident_of(team)
    headers = bearer(team, (Scope.INCIDENTS_READ,))
    client.get(ADDRESS, headers=headers)

    with django_assert_num_queries(4):
        assert len(client.get(ADDRESS, headers=headers).json()["results"]) == count


def test_status_names_what_counts_nowhere(client: Client, team: Team) -> None:
    kept = incident_of(team, restored_at="2026-03-04T12:00:00Z")
    incident_of(team, duplicate_of=kept.external_id)
    incident_of(team, dismissed=True)
    Incident.objects.filter(pk=kept.pk).update(closed_at=NOON + dt.timedelta(minutes=1))

    rows = client.get(f"{ADDRESS}?state=all", headers=bearer(team, (Scope.INCIDENTS_READ,))).json()["results"]

    assert sorted(row["status"] for row in rows) == ["closed", "dismissed", "duplicate"]
