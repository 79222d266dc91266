"""Dependencies learned from errors as they come in."""

from __future__ import annotations

import pytest

from deploys.models import Dependency, Service, Team
from incidents.actions.digest import digest_events
from incidents.actions.topology import learn_calls
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory, TeamFactory
from tests.factories.errors import parsed_event

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def team() -> Team:
    return TeamFactory.create()


def fleet(team: Team, *names: str) -> list[Service]:
    """Services of a team."""
    return [ServiceFactory.create(team=team, name=name) for name in names]


def calls(team: Team) -> list[tuple[str, str, str]]:
    """(caller, called, origin)."""
    rows = Dependency.objects.filter(service__team=team).order_by("service__name", "depends_on__name")
    return list(rows.values_list("service__name", "depends_on__name", "origin"))


def test_a_new_error_that_names_the_host_of_a_service_says_who_calls_whom(team: Team) -> None:
    shop, _, _ = fleet(team, "shop", "orders", "mail")
    fleet(TeamFactory.create(), "mail")
    message = "502 Server Error for url: http://orders.internal/v1/17, mail was not sent"

    for _ in range(2):
        digest_events(service=shop, events=[parsed_event(message=message)], received_at=NOON)

    assert calls(team) == [("shop", "orders", "learned")]


def test_what_is_declared_stays_declared(team: Team) -> None:
    shop, orders = fleet(team, "shop", "orders")
    Dependency.objects.create(service=shop, depends_on=orders)

    assert learn_calls(service=shop, hosts=["orders-api.svc.cluster.local", "shop.internal"]) == 1
    assert calls(team) == [("shop", "orders", "declared")]


def test_hosts_of_others_and_no_hosts_teach_nothing(team: Team) -> None:
    (shop,) = fleet(team, "shop")

    assert (learn_calls(service=shop, hosts=["api.cards.example"]), learn_calls(service=shop, hosts=[])) == (0, 0)
