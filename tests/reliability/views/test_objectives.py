"""Promises are set on a page, and counted from the facts that are there."""

from collections.abc import Callable

import pytest
from django.test import Client

from deploys.models import Fact, Membership, Role, Team
from reliability.actions.objectives import BadObjective, promise
from reliability.models import BurnAlert, Objective
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, ServiceFactory

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("noon")]


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


def test_what_was_agreed_is_shown_once_the_budget_is_spent(
    client: Client, busy: Team, tell: Callable[..., None]
) -> None:
    page = f"/t/{busy.slug}/objectives/"
    agreed = "Only fixes are deployed.\nNoor decides."
    form = {"service": "", "sli": "time", "target_percent": "99.9", "period": "28", "budget_policy": agreed}

    assert client.post(f"{page}set/?id=whole", form).status_code == 302
    before = client.get(page).content.decode()
    tell("incident", id="i9", title="x", services=["cart"], class_="downtime", started_at=100, restored_at=40)
    after = client.get(page).content.decode()
    report = client.get(f"/t/{busy.slug}/reports/2026-W10/").content.decode()

    assert Objective.objects.get(external_id="whole").budget_policy == agreed
    assert "Noor decides." in client.get(f"{page}set/?id=whole").content.decode()
    assert "Only fixes are deployed." not in before
    assert "at this pace: " in before
    assert "Only fixes are deployed.<br>Noor decides." in after
    assert "Only fixes are deployed.<br>Noor decides." in report


def test_a_policy_stays_where_nothing_is_said_of_it(client: Client, admin: Membership) -> None:
    client.post(
        url(admin, "set/"),
        {"service": "", "sli": "time", "target_percent": "99.9", "period": "28", "budget_policy": "We mend."},
    )

    promise(
        team=admin.team,
        payload={"id": "whole-time-28d", "target": 0.99, "window_days": 28},
        budget_policy=None,
        by=None,
    )

    stands = Objective.objects.get()
    assert (stands.target, stands.budget_policy) == (0.99, "We mend.")
    with pytest.raises(BadObjective, match="budget_policy: expected at most"):
        promise(
            team=admin.team,
            payload={"id": "whole-time-28d", "target": 0.9, "window_days": 28},
            budget_policy="x" * 2_001,
            by=None,
        )
    assert Objective.objects.get().target == 0.99
