"""What the tests of pages share: a signed-in member and the team's addresses."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deploys.models import Membership, Role, Team, User
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory, UserFactory

#: Half an hour after the incidents of the factories began.
LATER = NOON + dt.timedelta(minutes=30)
#: What nobody may write onto a page.
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 70000|add:70007 }}"


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


def read(answer: Any) -> str:
    """The page's text as a person reads it: no tags, plain blanks."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode()))
    return re.sub(r"\s+([.,])", r"\1", " ".join(text.split()))


def words(answer: Any) -> str:
    """The page's source with plain spaces."""
    return " ".join(answer.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


def queries(act: Callable[[], object]) -> int:
    """How many queries `act` makes, in the main database and in that of the inbox."""
    with ExitStack() as stack:
        seen = [
            stack.enter_context(CaptureQueriesContext(connections[alias]))
            for alias in {"default", settings.INBOX_ALIAS}
        ]
        act()
    return sum(map(len, seen))
