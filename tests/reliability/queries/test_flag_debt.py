"""Stale flags week by week, as closed reports told them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from deploys.models import Role, Team
from reliability.models import ReportSnapshot
from reliability.queries.flag_debt import DebtWeek, debt_weeks
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]
DAY = dt.timedelta(days=1)


@pytest.fixture
def team() -> Team:
    return TeamFactory(slug="acme", zone="Europe/Vienna")


def closed(team: Team, label: str, flags: int, stale: int, number: int = 1) -> None:
    result = {"flags": {"flags_count": flags, "stale_count": stale}}
    ReportSnapshot.objects.create(
        team=team, label=label, number=number, from_at=NOON, to_at=NOON, as_of_at=NOON, created_at=NOON, zone="UTC",
        result=result,
    )  # fmt: skip


def test_the_last_twelve_whole_weeks_with_gaps_where_none_was_closed(
    team: Team, django_assert_num_queries: Any
) -> None:
    closed(team, "2026-W09", 10, 4)
    closed(team, "2026-W08", 9, 5)
    closed(team, "2026-W08", 9, 3, number=2)
    closed(team, "2026-W10", 99, 99)  # still running on NOON
    closed(team, "2025-W49", 99, 99)
    closed(team, "2025-W50", 2, 0)
    closed(TeamFactory(), "2026-W07", 99, 99)

    with django_assert_num_queries(1):
        weeks = debt_weeks(team, now=NOON)

    assert [week.label for week in weeks] == [
        "2025-W50", "2025-W51", "2025-W52", *(f"2026-W0{number}" for number in range(1, 10)),
    ]  # fmt: skip
    assert [week for week in weeks if week.stale_count is not None] == [
        DebtWeek("2025-W50", 2, 0), DebtWeek("2026-W08", 9, 3), DebtWeek("2026-W09", 10, 4),
    ]  # fmt: skip


def test_the_clean_up_page_shows_them_once_there_are_two(client: Client, team: Team) -> None:
    client.force_login(MembershipFactory(team=team, role=Role.VIEWER).user)
    with time_machine.travel(NOON, tick=False):
        closed(team, "2026-W09", 10, 4)
        assert "Debt, week by week" not in client.get("/t/acme/flags/cleanup/").content.decode()
        closed(team, "2026-W07", 9, 1)
        page = client.get("/t/acme/flags/cleanup/").content.decode()

    assert "4 stale flags" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "of 10 at the end of 2026-W09, 1 of 9 at the end of 2026-W07" in page
    assert page.count("no report was closed") == 10
    assert "/t/acme/reports/2026-W09/" in page
