"""A signed-in member and a way to tell facts as the history format has them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from deploys.actions.catalog import make_team
from deploys.actions.facts import record_fact
from deploys.models import Membership, Role, Team, User
from reliability.queries import knowledge
from tests.conftest import NOON


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
