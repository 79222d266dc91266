from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploys.models import Delivery, Team
from tests.deploys.views.pages import text_of
from tests.factories.access import bearer, deliver, github_source
from tests.factories.catalog import MembershipFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(client: Client) -> Team:
    """A team whose viewer is signed in."""
    membership = MembershipFactory(role="viewer")
    client.force_login(membership.user)
    return membership.team


def send(team: Team, **message: Any) -> None:
    Client().post("/api/v1/deploys", data=json.dumps(message), content_type="application/json", headers=bearer(team))


def rows(client: Client, team: Team, query: str = "") -> list[tuple[str, str]]:
    answer = client.get(f"/t/{team.slug}/deliveries/?{query}")
    return [(row.verdict, row.reason) for row, _ in answer.context["lines"]]


def test_every_message_stands_in_the_log(client: Client, team: Team, noon: object) -> None:
    source, secret = github_source(team)
    send(team, id="1", service="shop", release="1.0")
    send(team, id="1", service="shop", release="1.0")
    send(team, id="1")
    deliver(client, source, secret, b"{}", event="ping")
    deliver(client, source, "wrong", b"{}", event="ping")

    assert rows(client, team) == [
        (
            "refused",
            "wrong-signature: not made with this webhook's secret over this body: the header X-Hub-Signature-256",
        ),
        ("ignored", "ping: the webhook is set up"),
        ("refused", "invalid-message: service: This field is required."),
        ("duplicate", ""),
        ("created", ""),
    ]
    assert [verdict for verdict, _ in rows(client, team, "verdict=refused")] == ["refused", "refused"]
    assert len(rows(client, team, "source=api")) == 3
    assert len(rows(client, team, f"source={source.public_id}")) == 2
    assert rows(client, team, "source=nobody") == []
    assert "No delivery matches this filter." in text_of(client.get(f"/t/{team.slug}/deliveries/?source=nobody"))


def test_the_log_of_another_team_is_not_shown(client: Client, team: Team) -> None:
    send(MembershipFactory().team, id="1", service="shop")

    assert rows(client, team) == []
    assert "Nothing was delivered in the last 30 days." in text_of(client.get(f"/t/{team.slug}/deliveries/"))


def test_one_delivery_shows_what_was_sent_without_secrets(client: Client, team: Team) -> None:
    send(team, id="1", service="shop", release="<b>1.0</b>", secret="hunter2")
    delivery = Delivery.objects.get()

    answer = client.get(f"/t/{team.slug}/deliveries/{delivery.public_id}/")

    text = text_of(answer)
    assert '"release": "<b>1.0</b>"' in text
    assert '"secret": "[redacted]"' in text
    assert "hunter2" not in text
    assert b"<b>1.0</b>" not in answer.content


def test_the_list_costs_the_same_for_one_and_three(client: Client, team: Team) -> None:
    counts = []
    for n in range(3):
        send(team, id=str(n), service=f"shop-{n}", release=f"1.{n}")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/t/{team.slug}/deliveries/")
        counts.append(len(queries))

    assert counts[0] == counts[2]
    assert counts[0] <= 9


def test_a_delivery_is_replayed_from_its_page(client: Client, noon: object) -> None:
    membership = MembershipFactory(role="responder")
    client.force_login(membership.user)
    source, secret = github_source(membership.team)
    deliver(client, source, secret, b"{}", event="ping")
    page = f"/t/{membership.team.slug}/deliveries/{Delivery.objects.get().public_id}/"

    shown = text_of(client.get(page))
    again = client.post(f"{page}replay/", follow=True)

    assert "Replay" in shown
    assert "Replayed: ignored." in text_of(again)
    assert "signature replayed" in text_of(again)
    assert "The body stands with the first delivery." in text_of(again)


def test_what_is_not_kept_cannot_be_replayed(client: Client, noon: object) -> None:
    membership = MembershipFactory(role="responder")
    client.force_login(membership.user)
    source, _ = github_source(membership.team)
    deliver(client, source, "wrong", b"{}", event="ping")
    page = f"/t/{membership.team.slug}/deliveries/{Delivery.objects.get().public_id}/"

    assert "takes it again" not in text_of(client.get(page))
    assert "Not replayed:" in text_of(client.post(f"{page}replay/", follow=True))
    assert Delivery.objects.count() == 1
