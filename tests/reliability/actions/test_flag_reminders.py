"""Owners are reminded of flags that should go: once a week, of what is asked of them, and of nothing else."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from deploys import clock
from deploys.actions.flag_checks import Counted, record_checks
from deploys.actions.flag_cleanup import keep_flag
from deploys.actions.flag_registry import archive_flag
from deploys.actions.own_flags import OwnFlag
from deploys.domain.flag_rules import FlagKind
from deploys.models import Environment, RegisteredFlag, Team, User
from reliability.actions.flag_reminders import remind_owners
from reliability.models import OutgoingMail
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, MembershipFactory, TeamFactory, UserFactory
from tests.factories.flags import ON, percent, registered, served_by

pytestmark = [pytest.mark.django_db, pytest.mark.database]
DAY = dt.timedelta(days=1)
LATER = NOON + 35 * DAY  # a Wednesday, of week 15


@pytest.fixture(autouse=True)
def _mail_server(settings: Any) -> None:
    settings.MAIL_IS_SET = True
    settings.BASE_URL = "https://upshot.example.org"


@pytest.fixture
def team() -> Team:
    return TeamFactory(name="Acme", slug="acme", zone="UTC")


@pytest.fixture
def production(team: Team) -> Environment:
    return EnvironmentFactory(team=team)


def member(team: Team, email: str, role: str = "responder") -> User:
    return MembershipFactory(team=team, user=UserFactory(email=email), role=role).user


def out(team: Team, production: Environment, key: str, owner: str = "") -> RegisteredFlag:
    """A flag that everybody has had for a month."""
    flag = registered(team, key, owner=owner)
    served_by(flag, production, ON)
    return flag


def mails() -> dict[str, list[str]]:
    """To whom, and of which flags."""
    rows = OutgoingMail.objects.order_by("pk")
    return {row.to: re.findall(r"^(\S+) \(", row.text, re.MULTILINE) for row in rows}


def test_each_owner_gets_one_mail_with_what_is_asked_of_them(team: Team, production: Environment) -> None:
    for email, role in (("ann@example.org", "responder"), ("ada@example.org", "admin")):
        member(team, email, role)
    out(team, production, "one-page", "ANN@example.org")
    out(team, production, "vat", "ann@example.org")
    out(team, production, "orphan")
    out(team, production, "left", "gone@example.org")
    served_by(registered(team, "fresh", now=LATER, owner="ann@example.org"), production, percent(5), now=LATER)
    kept = out(team, production, "kept", "ann@example.org")
    keep_flag(flag=kept, until=LATER + DAY, reason="launch", now=LATER, by=UserFactory())

    assert remind_owners(team=team, now=LATER) == 2
    assert remind_owners(team=team, now=LATER + DAY / 4) == 0

    assert mails() == {"ann@example.org": ["one-page", "vat"], "ada@example.org": ["orphan", "left"]}
    mail = OutgoingMail.objects.get(to="ann@example.org")
    assert (mail.subject, mail.headers["List-Unsubscribe-Post"]) == (
        "Acme: 2 flags to clean up",
        "List-Unsubscribe=One-Click",
    )
    assert "R1: remove the flag and keep what it brought, since 4 March 2026" in mail.text
    assert "https://upshot.example.org/t/acme/flags/cleanup/" in mail.text
    assert "&" not in mail.text


def test_next_week_they_are_reminded_again(team: Team, production: Environment) -> None:
    member(team, "ann@example.org")
    out(team, production, "one-page", "ann@example.org")

    told = [remind_owners(team=team, now=LATER + days * DAY) for days in (0, 1, 4, 5, 6, 7)]

    assert told == [1, 0, 0, 1, 0, 0]


def test_an_archived_flag_that_is_asked_for_is_told_too(team: Team, production: Environment) -> None:
    member(team, "ann@example.org")
    archive_flag(flag=out(team, production, "old", "ann@example.org"), reason="", now=NOON, by=None)
    record_checks({Counted(production.pk, "old", "web", "", LATER, "check"): (3, LATER)})

    remind_owners(team=team, now=LATER)

    assert mails() == {"ann@example.org": ["old"]}
    assert "R7: find who asks" in OutgoingMail.objects.get().text


def test_a_team_switches_reminders_off_and_without_a_mail_server_none_is_written(
    team: Team, production: Environment, settings: Any
) -> None:
    member(team, "ann@example.org")
    out(team, production, "one-page", "ann@example.org")
    settings.MAIL_IS_SET = False
    assert remind_owners(team=team, now=LATER) == 0
    settings.MAIL_IS_SET = True
    flag = registered(team, OwnFlag.REMINDERS, kind=FlagKind.OPS, owner="ann@example.org")

    assert remind_owners(team=team, now=LATER) == 0
    served_by(flag, production, ON, now=LATER)
    assert remind_owners(team=team, now=LATER) == 1


def test_out_of_season_and_without_flags_one_query_is_made(
    team: Team, django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(0):
        assert remind_owners(team=team, now=LATER + DAY) == 0
    with django_assert_num_queries(1):
        assert remind_owners(team=team, now=LATER) == 0


def test_other_teams_flags_are_theirs(team: Team, production: Environment) -> None:
    member(team, "ann@example.org")
    theirs = EnvironmentFactory()
    out(theirs.team, theirs, "theirs", "ann@example.org")

    assert remind_owners(team=team, now=LATER) == 0


def test_a_person_stops_them_from_the_mail_and_lets_them_come_again(
    client: Client, team: Team, production: Environment
) -> None:
    member(team, "ann@example.org")
    out(team, production, "one-page", "ann@example.org")
    remind_owners(team=team, now=LATER)
    [address] = re.findall(r"https://upshot\.example\.org(/mail/flags/\S+)", OutgoingMail.objects.get().text)

    assert "Stop these reminders?" in client.get(address).content.decode()
    with clock.at(LATER):
        assert "No more reminders" in client.post(address).content.decode()
    assert OutgoingMail.objects.get().last_error == "unsubscribed"
    assert remind_owners(team=team, now=LATER + 7 * DAY) == 0
    client.post(address, {"act": "resume"})
    assert remind_owners(team=team, now=LATER + 7 * DAY) == 1
    assert client.get("/mail/flags/forged/").status_code == 404
