"""The link in a notice's mail that lets its reader acknowledge the incident: his alone, for a time, and nowhere kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail

from deploys import clock
from deploys.models import Role, Team, User
from incidents.actions.telling import announce
from reliability.actions import acknowledging
from reliability.actions.delivering import deliver_due
from reliability.actions.notices import SETTLE, tell_news
from reliability.models import AcknowledgeLink
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, TeamFactory
from tests.factories.incidents import incident_of
from tests.factories.notices import channel_of, link_of
from tests.incidents.kept import everything_kept

pytestmark = [pytest.mark.database, pytest.mark.django_db(databases="__all__")]
LATER = NOON + SETTLE


@pytest.fixture
def team(noon: dt.datetime, settings: Any) -> Team:
    settings.MAIL_IS_SET = True
    return TeamFactory.create(name="Acme", slug="acme")


def test_the_mail_of_whoever_may_act_has_a_link_and_the_log_does_not(team: Team) -> None:
    ida = User.objects.create_user("ida@example.org", first_name="Ida")
    MembershipFactory.create(team=team, user=ida, role=Role.RESPONDER)
    channel_of(team, is_to_members=True, addresses=["list@example.org"])
    incident = incident_of(team)
    announce(incident)
    for at in (NOON, LATER):
        with clock.at(at):
            tell_news(now=at)
            deliver_due(now=at)

    bodies = {message.to[0]: str(message.body) for message in mail.outbox}
    assert "/acknowledge/" in bodies["ida@example.org"]
    assert "/acknowledge/" not in bodies["list@example.org"]
    secret = bodies["ida@example.org"].partition("/acknowledge/")[2].split("/")[0]
    assert secret not in everything_kept()
    link = acknowledging.look_up(secret, now=LATER)
    assert (link.user, link.incident) == (ida, incident)

    acknowledging.acknowledge(link=link, now=LATER)
    acknowledging.acknowledge(link=link, now=LATER + dt.timedelta(minutes=1))

    incident.refresh_from_db()
    assert (incident.acknowledged_at, incident.lead) == (LATER, ida)
    assert AcknowledgeLink.objects.get(secret_hash=link.secret_hash).used_at == LATER


def test_a_link_ends_with_its_time_and_with_the_role(team: Team) -> None:
    secret = link_of(team).rstrip("/").rpartition("/")[2]

    link = acknowledging.look_up(secret, now=NOON)
    for broken in (secret[1:], secret[:-1], "", secret + "x"):
        with pytest.raises(acknowledging.LinkUnusable, match="not known"):
            acknowledging.look_up(broken, now=NOON)
    with pytest.raises(acknowledging.LinkUnusable, match="too old"):
        acknowledging.look_up(secret, now=NOON + acknowledging.LIFE)
    link.user.memberships.update(role=Role.VIEWER)
    with pytest.raises(acknowledging.LinkUnusable, match="may not act"):
        acknowledging.look_up(secret, now=NOON)
