"""Promises are set on a page, and counted from the facts that are there."""

import pytest
from django.test import Client

from deploys.models import Fact, Membership, Role
from reliability.models import BurnAlert, Objective
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, ServiceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def admin(client: Client) -> Membership:
    membership = MembershipFactory(role=Role.ADMIN)
    client.force_login(membership.user)
    return membership


def url(member: Membership, more: str = "") -> str:
    return f"/t/{member.team.slug}/objectives/{more}"


def test_an_admin_sets_an_objective_and_changes_it(client: Client, admin: Membership) -> None:
    ServiceFactory(team=admin.team, name="shop")

    first = client.post(
        url(admin, "set/"), {"service": "shop", "sli": "time", "target_percent": "99.95", "period": "28"}
    )
    client.post(
        url(admin, "set/?id=shop-time-28d"),
        {"service": "shop", "sli": "time", "target_percent": "99", "period": "month"},
    )

    assert first.status_code == 302
    stands = Objective.objects.get()
    assert (stands.external_id, stands.target, stands.window_days, stands.calendar) == (
        "shop-time-28d",
        0.99,
        None,
        "month",
    )
    assert list(Fact.objects.filter(kind="objective").values_list("origin", "actor")) == [("person", admin.user.pk)] * 2


def test_the_list_says_what_is_left(client: Client, admin: Membership) -> None:
    client.post(url(admin, "set/"), {"service": "", "sli": "time", "target_percent": "99.9", "period": "28"})
    ServiceFactory(team=admin.team, name="shop")

    page = client.get(url(admin)).content.decode()

    assert "the whole" in page
    assert "99.9" in page


def test_an_empty_list_says_the_next_step(client: Client, admin: Membership) -> None:
    assert "Set the first one." in client.get(url(admin)).content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("target_percent", "101"), ("target_percent", "lots"), ("period", "13"), ("service", "no such")],
)
def test_bad_input_is_told(client: Client, admin: Membership, field: str, value: str) -> None:
    answer = client.post(
        url(admin, "set/"), {"service": "", "sli": "time", "target_percent": "99.9", "period": "28", field: value}
    )

    assert answer.status_code == 422
    assert not Objective.objects.exists()


def test_another_teams_objective_is_not_to_be_had(client: Client, admin: Membership) -> None:
    other = MembershipFactory(role=Role.ADMIN)
    client.force_login(other.user)
    client.post(url(other, "set/"), {"service": "", "sli": "time", "target_percent": "99.9", "period": "28"})
    client.force_login(admin.user)

    assert client.get(url(admin, "set/?id=whole-time-28d")).status_code == 404


def test_the_record_of_alerts_stands_below_the_budgets(client, team, tell):
    tell("objective", id="o", service="cart", target=0.999, window_days=28)
    objective = Objective.objects.get(team=team)
    BurnAlert.objects.create(
        objective=objective, rule="page_fast", opened_at=NOON, last_fired_at=NOON, long_burn_rate=33.3, short_burn_rate=400, budget_left_ratio=0.5
    )  # fmt: skip
    BurnAlert.objects.create(
        objective=objective, rule="ticket_slow", opened_at=NOON, last_fired_at=NOON, closed_at=NOON, long_burn_rate=1.2, short_burn_rate=2
    )  # fmt: skip

    html = client.get(f"/t/{team.slug}/objectives/").content.decode()

    assert "goes on" in html
    assert "×33" in html
    assert "ticket, slow" in html
