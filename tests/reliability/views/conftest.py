"""A signed-in member and a way to tell facts as the history format has them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client

from deploys.actions.catalog import make_team
from deploys.actions.facts import record_fact
from deploys.models import Membership, Role, Team, User
from reliability.queries import knowledge
from tests.conftest import NOON

DAY = 1_440


@pytest.fixture(autouse=True)
def _fresh_knowledge():
    knowledge.forget()


@pytest.fixture
def team(client: Client, noon: dt.datetime) -> Team:
    """A team in UTC whose admin is signed in."""
    made = make_team(name="Shop", zone="UTC", now=NOON - dt.timedelta(days=90))
    user = User.objects.create_user("noor@example.org")
    Membership.objects.create(team=made, user=user, role=Role.ADMIN, created_at=NOON)
    client.force_login(user)
    return made


@pytest.fixture
def tell(team: Team) -> Callable[..., None]:
    """tell(kind, **payload): records a fact; times are given as minutes before NOON or as instants."""

    def say(kind: str, **payload: object) -> None:
        told = {key.rstrip("_"): _instant(key, value) for key, value in payload.items()}
        record_fact(
            team=team,
            kind=kind,
            payload=told,
            received_at=NOON - dt.timedelta(days=60),
            origin="live",
            source="history",
        )

    return say


def _instant(key: str, value: object) -> object:
    if key.endswith("_at") and isinstance(value, int | float):
        return (NOON - dt.timedelta(minutes=value)).isoformat()
    return value.isoformat() if isinstance(value, dt.datetime) else value


@pytest.fixture
def busy(team: Team, tell: Callable[..., None]) -> Team:
    """A week with a failed deploy, an external outage, a suspect, and a stale flag."""
    for name in ("cart", "mailer"):
        tell("service", service=name)
    tell("objective", id="whole", sli="time", target=0.999, window_days=28)
    tell("objective", id="cart", service="cart", sli="time", target=0.9, window_days=28)
    tell(
        "deploy", id="d0", service="cart", release="7.0", status="success", started_at=9 * DAY, finished_at=9 * DAY - 5
    )
    tell("deploy", id="d1", service="cart", release="7.1", status="success", started_at=DAY, finished_at=DAY - 5)
    tell("deploy", id="d2", service="cart", release="7.0", status="success", started_at=DAY - 40, finished_at=DAY - 41)
    tell("deploy", id="d3", service="mailer", release="3", status="success", started_at=300, finished_at=295)
    tell("incident", id="i1", title="No order can be paid", services=["cart"], class_="downtime", started_at=DAY - 10, detected_at=DAY - 12,
         mitigated_at=DAY - 41, restored_at=DAY - 42, causes=[{"kind": "deploy", "id": "d1"}], remedies=[{"kind": "deploy", "id": "d2"}])  # fmt: skip
    tell("incident", id="i2", title="Mail is late", services=["mailer"], class_="multi_user", started_at=290, restored_at=250,
         causes=[{"kind": "deploy", "id": "d3", "status": "suggested"}])  # fmt: skip
    tell(
        "incident",
        id="i3",
        title="One mail bounced",
        services=["mailer"],
        class_="single_user",
        started_at=200,
        restored_at=100,
    )
    tell("flag", key="old-flag", created_at=50 * DAY, environment="production")
    return team


def text_of(html: str) -> str:
    """What a page says, its gaps as plain spaces."""
    html = re.sub(r"<script.*?</script>", " ", html, flags=re.DOTALL)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ")
    return words.replace(" .", ".").replace(" ,", ",").replace("&nbsp;", " ")
