"""The page that says how often verdicts were right, and what corrections taught."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from deploys.domain.wording import GAP
from deploys.models import Membership, Role, Team, User
from incidents.actions import causes
from incidents.domain.weights import VERSION
from incidents.models import TeamWeights
from incidents.queries import teaching as taught
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory
from tests.factories.incidents import deploy_of, incident_of, verdict_of

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("noon")]


@pytest.fixture
def admin(client: Client) -> Membership:
    membership = MembershipFactory(role=Role.ADMIN)
    client.force_login(membership.user)
    return membership


def url(member: Membership) -> str:
    return f"/t/{member.team.slug}/calibration/"


def read(client: Client, member: Membership) -> str:
    return " ".join(client.get(url(member)).content.decode().replace(GAP, " ").split())


def answer(team: Team, by: User, count: int, *, probability: float = 0.95, no_change: int = 0) -> None:
    """So many verdicts that named a deploy; people confirmed all but `no_change`, which they laid at no change."""
    for n in range(count):
        change = deploy_of(team)
        incident = incident_of(team)
        verdict_of(incident, [(change, probability), (None, 1 - probability)])
        if n < no_change:
            causes.blame_no_change(incident=incident, kind="external", by=by, now=NOON)
        else:
            causes.confirm_cause(incident=incident, change=change, by=by, now=NOON)


def test_before_the_first_answer_it_says_what_to_do(client: Client, admin: Membership) -> None:
    page = read(client, admin)

    assert "Nobody has answered a verdict yet" in page
    assert f"the shipped weights {VERSION}" in page
    assert "Plotly" not in page


def test_few_answers_are_counted_and_not_judged(client: Client, admin: Membership) -> None:
    answer(admin.team, admin.user, 3, no_change=1)

    page = read(client, admin)

    assert "Too few to judge: 3 of 10 answers" in page
    assert "2 of 3, likely" in page
    assert "reliability-curve" not in page


def test_ten_answers_make_a_curve(client: Client, admin: Membership) -> None:
    answer(admin.team, admin.user, 9, no_change=2)
    answer(admin.team, admin.user, 1, probability=0.6)

    page = read(client, admin)

    assert "10 answered verdicts: 50 to 70 %: 1 of 1 right; 90 % and more: 7 of 9 right." in page
    assert "2 of 2, likely" in page
    assert "2 of 10 that people answered" in page
    assert "Too few" not in page


def test_the_log_says_what_moved(client: Client, admin: Membership) -> None:
    TeamWeights.objects.create(
        team=admin.team, number=1, made_at=NOON, act="kept", base_version=VERSION, weights={"none_base": 2.5},
        samples_count=12, shipped_loss=1.25, left_out_loss=0.5,
    )  # fmt: skip

    page = read(client, admin)

    assert "this team's own weights 1" in page
    assert "Learned from 12 incidents: on incidents it had not seen its log-loss is 0.500" in page
    assert "none base" in page
    assert "2.50" in page


def test_an_admin_resets(client: Client, admin: Membership) -> None:
    TeamWeights.objects.create(
        team=admin.team, number=1, made_at=NOON, act="kept", base_version=VERSION, weights={"none_base": 2.5}
    )

    client.post(url(admin), {"act": "reset"})
    again = client.post(url(admin), {"act": "reset"}, follow=True)

    assert taught.model_of(admin.team) == taught.SHIPPED
    assert list(TeamWeights.objects.order_by("number").values_list("act", flat=True)) == ["kept", "reset"]
    assert "in force already" in again.content.decode()
    assert "Back to the shipped weights" in read(client, admin)


def test_confirming_by_itself_is_refused_with_the_reason(client: Client, admin: Membership) -> None:
    answered = client.post(url(admin), {"act": "confirm", "confirms": "on"}, follow=True)

    assert "98 of 100" in answered.content.decode()
    admin.team.refresh_from_db()
    assert admin.team.auto_confirm_at is None


def test_where_it_is_offered_an_admin_may_switch_it_on_and_off(
    client: Client, admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taught, "MAY_CONFIRM", True)

    client.post(url(admin), {"act": "confirm", "confirms": "on"})
    admin.team.refresh_from_db()
    was = admin.team.auto_confirm_at
    assert "Ask a person again" in read(client, admin)
    client.post(url(admin), {"act": "confirm", "confirms": "off"})
    admin.team.refresh_from_db()

    assert (was, admin.team.auto_confirm_at) == (0.9, None)


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client: Client, admin: Membership, count: int, django_assert_num_queries: Any) -> None:
    answer(admin.team, admin.user, count)

    with django_assert_num_queries(10):
        client.get(url(admin))


def test_members_look_and_strangers_do_not(client: Client, admin: Membership) -> None:
    answer(admin.team, admin.user, 1)
    viewer = MembershipFactory(team=admin.team, role=Role.VIEWER)
    client.force_login(viewer.user)

    assert "An admin of the team can do this." in read(client, admin)
    assert client.post(url(admin), {"act": "reset"}).status_code == 403
    client.force_login(MembershipFactory().user)
    assert client.get(url(admin)).status_code == 404
