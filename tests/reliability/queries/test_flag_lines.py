"""Counters of checks in reports, and what reports tell of flags beside their numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from deploys.actions.flag_checks import Counted, record_checks
from deploys.actions.flag_registry import archive_flag
from deploys.actions.flag_scans import record_scan
from deploys.actions.flag_tickets import take_ticket
from deploys.domain.flag_code import Place, PlaceKind, ScanReport
from deploys.domain.tickets import TicketReport
from deploys.models import Environment, Role, Team
from reliability.actions.reports import close_report
from reliability.domain.intervals import Interval
from reliability.queries.knowledge import forget
from reliability.queries.reports import report_as_of
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, MembershipFactory, TeamFactory
from tests.factories.flags import ON, percent, registered, served_by
from tests.factories.webhooks import source_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

DAY = dt.timedelta(days=1)
WEEK = "2026-W13"
ENDS = dt.datetime(2026, 3, 30, tzinfo=dt.UTC)  # of that week
CLOSED = ENDS + dt.timedelta(hours=6)


@pytest.fixture
def team() -> Team:
    forget()
    return TeamFactory(slug="acme", zone="UTC")


@pytest.fixture
def production(team: Team) -> Environment:
    return EnvironmentFactory(team=team)


def check(environment: Environment, key: str, *ats: dt.datetime) -> None:
    for at in ats:
        hour = at.replace(minute=0, second=0, microsecond=0)
        record_checks({Counted(environment.pk, key, "shop", "on", hour, "check"): (1, at)})


def watched(environment: Environment, until: dt.datetime) -> None:
    check(environment, "another", *(NOON + each * DAY for each in range((until - NOON) // DAY + 2)))


def reasons(team: Team, as_of: dt.datetime) -> dict[str, list[str]]:
    printed: Any = report_as_of(team=team, window=Interval(ENDS - 7 * DAY, ENDS), as_of=as_of)
    return {flag["key"]: flag["reasons"] for flag in printed["flags"]["stale"]}


def test_a_flag_nobody_asked_for_is_unevaluated_and_one_asked_for_is_not(team: Team, production: Environment) -> None:
    for key in ("asked", "unasked"):
        served_by(registered(team, key), production, percent(50))
    watched(production, CLOSED)
    check(production, "asked", ENDS - DAY)

    assert reasons(team, CLOSED) == {"unasked": ["unevaluated"]}


def test_silence_says_nothing_and_later_counts_change_no_closed_week(team: Team, production: Environment) -> None:
    served_by(registered(team, "unasked"), production, percent(50))
    watched(production, CLOSED - 5 * DAY)
    silent = reasons(team, CLOSED)
    check(production, "unasked", CLOSED + DAY)
    check(production, "another", CLOSED + DAY)

    assert (silent, reasons(team, CLOSED), reasons(team, CLOSED + 2 * DAY)) == ({}, {}, {})


def test_a_closed_report_keeps_the_evidence_it_was_made_on(client: Client, team: Team, production: Environment) -> None:
    client.force_login(MembershipFactory(team=team, role=Role.VIEWER).user)
    flag = registered(team, owner="ann", ticket_url="https://github.com/acme/shop/issues/7")
    served_by(flag, production, ON)
    source, _ = source_of("github", team, name="our GitHub")
    take_ticket(source=source, report=TicketReport(flag.ticket_url, is_closed=False, at=CLOSED), received_at=CLOSED)
    archive_flag(flag=registered(team, "old"), reason="", now=NOON, by=None)
    check(production, "old", CLOSED)
    link = "https://git.example.com/blob/{commit}/{path}#L{line}"
    places = [Place("new-cart", "shop/a.py", 3, PlaceKind.CALL)]
    record_scan(team=team, report=ScanReport("acme/shop", "c1", CLOSED, places, link=link), received_at=CLOSED)

    with time_machine.travel(CLOSED, tick=False):
        stored = close_report(team=team, label=WEEK, now=CLOSED)
        report = ScanReport("acme/shop", "c2", CLOSED + DAY, [])
    record_scan(team=team, report=report, received_at=CLOSED + DAY)
    with time_machine.travel(CLOSED + DAY, tick=False):
        page = client.get(f"/t/acme/reports/{WEEK}/").content.decode()

    line = stored.beside["flags"]["lines"]["new-cart"]
    assert (line["state"], [each["rule"] for each in line["findings"]], line["references"]["count"]) == (
        "cleanup due",
        ["R1"],
        1,
    )
    assert (line["risk"], line["effort"], stored.beside["flags"]["zombies"]) == ("high", "S", ["old"])
    assert 'href="https://git.example.com/blob/c1/shop/a.py#L3"' in page
    assert "open since" in page
    assert "told by our GitHub" in page
    assert "All flags to clean up" in page


def test_a_team_without_flags_has_no_part_on_them(team: Team) -> None:
    stored = close_report(team=team, label=WEEK, now=CLOSED)

    assert "flags" not in stored.beside
