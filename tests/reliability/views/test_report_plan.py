"""Which periods are closed, and when."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from deploys.models import Team
from reliability.actions.reports import keep_reports
from reliability.models import ReportPlan

pytestmark = pytest.mark.django_db(databases="__all__")
MONDAY = dt.datetime(2026, 3, 9, tzinfo=dt.UTC)


def closed(team: Team, at: dt.datetime) -> list[str]:
    return [snapshot.label for snapshot in keep_reports(team=team, now=at)]


def test_periods_and_hour_are_chosen(client: Client, busy: Team) -> None:
    page = f"/t/{busy.slug}/reports/plan/"

    assert client.post(page, {"kinds": ["month", "week"], "closes_at_hour": "9"}).status_code == 302

    assert ReportPlan.objects.get(team=busy).kinds == ["week", "month"]
    assert closed(busy, MONDAY + dt.timedelta(hours=8, minutes=59)) == ["2026-02"]
    assert closed(busy, MONDAY + dt.timedelta(hours=9)) == ["2026-W10"]
    assert "Closing…" in client.get(f"/t/{busy.slug}/reports/").content.decode()


@pytest.mark.parametrize(
    "more", [{"kinds": []}, {"kinds": ["year"]}, {"closes_at_hour": "24"}, {"closes_at_hour": "x"}]
)
def test_bad_input_is_told(client: Client, busy: Team, more: dict[str, object]) -> None:
    answer = client.post(f"/t/{busy.slug}/reports/plan/", {"kinds": ["week"], "closes_at_hour": "6"} | more)

    assert answer.status_code == 422
    assert not ReportPlan.objects.exists()
