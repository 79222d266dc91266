"""What the tests of pages share: a signed-in member and the team's addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import reverse

from deploys.models import Membership, Role, Team, User
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory, UserFactory


@dataclass(frozen=True)
class Desk:
    """A member at work."""

    client: Client
    team: Team
    user: User

    def url(self, name: str, *args: Any) -> str:
        return reverse(name, args=[self.team.slug, *args])

    def get(self, name: str, *args: Any, **query: str) -> Any:
        return self.client.get(self.url(name, *args), query)

    def post(self, name: str, *args: Any, **data: Any) -> Any:
        return self.client.post(self.url(name, *args), data)


def desk(role: str = Role.RESPONDER, team: Team | None = None) -> Desk:
    """A new member of the team (a new one if none is given), signed in."""
    team = team or TeamFactory()
    user = UserFactory(first_name="Ida", last_name="Holm")
    Membership.objects.create(team=team, user=user, role=role, created_at=NOON)
    client = Client()
    client.force_login(user)
    return Desk(client=client, team=team, user=user)
