from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client

from deploys.actions.flag_checks import Counted, record_checks
from deploys.actions.flag_registry import archive_flag
from deploys.actions.flag_scans import record_scan
from deploys.domain.flag_code import Place, PlaceKind, ScanReport
from deploys.domain.flag_rules import FlagKind
from deploys.models import Environment, FlagTask, RegisteredFlag, Role, Team
from tests.conftest import NOON
from tests.deploys.views.pages import text_of as words
from tests.factories.catalog import EnvironmentFactory, MembershipFactory, TeamFactory
from tests.factories.flags import ON, percent, registered, served_by

pytestmark = pytest.mark.django_db

NOW = NOON + dt.timedelta(days=20)
PAGE = "/t/acme/flags/cleanup/"
LINK = "https://git.example.com/acme/shop/blob/{commit}/{path}#L{line}"


@pytest.fixture(autouse=True)
def today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def team(client: Client) -> Team:
    team: Team = TeamFactory(slug="acme")
    client.force_login(MembershipFactory(team=team, role=Role.RESPONDER).user)
    return team


@pytest.fixture
def production(team: Team) -> Environment:
    return EnvironmentFactory(team=team)


def scan(team: Team, *places: Place) -> None:
    record_scan(team=team, report=ScanReport("acme/shop", "c1", NOW, list(places), link=LINK), received_at=NOW)


def check(environment: Environment, key: str, at: dt.datetime = NOW) -> None:
    record_checks({Counted(environment.pk, key, "shop", "on", at.replace(minute=0), "check"): (1, at)})


def shown(client: Client) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return words(answer)


def post(client: Client, flag: RegisteredFlag, act: str, **more: str) -> str:
    return words(client.post(PAGE, {"flag": str(flag.public_id), "act": act, **more}, follow=True))


def test_no_flag_says_the_next_step(client: Client, team: Team) -> None:
    assert "No flag is known yet" in shown(client)


def test_what_is_due_stands_with_its_points_rules_evidence_and_places(
    client: Client, team: Team, production: Environment
) -> None:
    served_by(registered(team, owner="ann"), production, ON)
    check(production, "new-cart")
    scan(team, Place("new-cart", "shop/a.py", 3, PlaceKind.CALL))

    page, html = shown(client), client.get(PAGE).content.decode()

    for said in (
        "1 to clean up of 1", "3 points", "3 fully on", "R1: remove the flag and keep what it brought", "everybody gets on for 20 d",
        "checked, production", "1 reference in 1 repository", "risk of removal", "flag_patch.py | python3 - new-cart --value on",
    ):  # fmt: skip
        assert said.replace(" ", " ") in page.replace(" ", " "), said
    assert 'href="https://git.example.com/acme/shop/blob/c1/shop/a.py#L3"' in html


def test_what_cannot_be_judged_is_not_called_due(client: Client, team: Team, production: Environment) -> None:
    served_by(registered(team, owner="ann"), production, percent(50))

    page = shown(client).replace("\xa0", " ")

    assert "0 to clean up of 1" in page
    assert "R3 cannot be judged: production: no telemetry" in page
    assert "unknown: no repository is scanned" in page


def test_zombies_stand_first(client: Client, team: Team, production: Environment) -> None:
    archive_flag(flag=registered(team), reason="", now=NOON, by=None)
    check(production, "new-cart")
    check(production, "no-such")

    page = shown(client)

    assert "new-cart is archived, yet something asks for it" in page
    assert "no-such is no flag, yet something asks for it" in page


def test_buttons_answer(client: Client, team: Team, production: Environment) -> None:
    flag, switch = registered(team, owner="ann"), registered(team, "switch", kind=FlagKind.KILL_SWITCH)
    served_by(flag, production, ON)

    assert "new-cart is kept until 26 March 2026." in post(client, flag, "keep", until="2026-03-26", reason="campaign")
    assert "say why it is kept" in post(client, flag, "keep", until="2026-03-26")
    assert "say until which day" in post(client, flag, "keep", until="soon", reason="x")
    assert "say until which day" in post(client, flag, "keep", until="2026-02-31", reason="x")
    assert "The to-do of new-cart is closed" in post(client, flag, "done")
    assert "is open again" in post(client, flag, "reopen")
    assert "supported until 1 June 2026" in post(client, flag, "clients", until="2026-06-01")
    assert "switch was rehearsed" in post(client, switch, "rehearse", reason="in staging")
    assert client.post(PAGE, {"flag": str(flag.public_id), "act": "burn"}).status_code == 404
    assert FlagTask.objects.get(flag=flag).kept_count == 1


@pytest.mark.parametrize("named", ["", "x", "theirs"])
def test_flags_of_others_are_not_here(client: Client, team: Team, named: str) -> None:
    theirs = registered(TeamFactory())

    answer = client.post(
        PAGE, {"flag": str(theirs.public_id) if named == "theirs" else named, "act": "done"}, follow=True
    )

    assert "That flag is not here" in words(answer)
    assert FlagTask.objects.get(flag=theirs).done_at is None


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_however_many(
    client: Client, team: Team, production: Environment, django_assert_num_queries: Callable[..., Any], count: int
) -> None:
    for each in range(count):
        served_by(registered(team, f"flag-{each}"), production, ON)
        check(production, f"flag-{each}")
    scan(team, *(Place(f"flag-{each}", "a.py", each + 1, PlaceKind.CALL) for each in range(count)))

    with django_assert_num_queries(40):
        client.get(PAGE)
