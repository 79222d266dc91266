"""The smallest valid channels and notices."""

from __future__ import annotations

from typing import Any

from deploys.models import Role, Team
from incidents.models import Incident
from reliability.actions.acknowledging import make_link
from reliability.actions.channels import Wanted, make_channel
from reliability.models import Channel, OutgoingNotice
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory
from tests.factories.incidents import incident_of


def channel_of(team: Team, *, kind: str = "email", name: str = "on call", **wanted: Any) -> Channel:
    """A channel by mail to a@example.org, or to an address under hooks.example."""
    to = {"addresses": ["a@example.org"]} if kind == "email" else {"url": "https://hooks.example/T0/secret-path"}
    by = MembershipFactory.create(team=team, role=Role.ADMIN).user
    return make_channel(team=team, kind=kind, wanted=Wanted(name=name, **{**to, **wanted}), by=by, now=NOON)[0]


def notice_of(
    team: Team, *, incident: Incident | None = None, channel: Channel | None = None, **fields: Any
) -> OutgoingNotice:
    """A notice of an incident that waits to be handed over."""
    incident, channel = incident or incident_of(team), channel or channel_of(team)
    made = {
        "what": "opened", "subject": "multi_user", "recipient": "a@example.org", "title": "INC-1", "occurred_at": NOON, "due_at": NOON,
        "key": f"test/{channel.pk}/{incident.pk}/{OutgoingNotice.objects.count()}", **fields,
    }  # fmt: skip
    return OutgoingNotice.objects.create(team=team, channel=channel, incident=incident, **made)


def link_of(team: Team, *, incident: Incident | None = None, role: str = Role.RESPONDER) -> str:
    """The address that lets a member of the team acknowledge an incident."""
    user = MembershipFactory.create(team=team, role=role).user
    return make_link(notice=notice_of(team, incident=incident, recipient=user.email, user=user), now=NOON)
