"""Every number of a report leads to the rows it was made of."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client

from deploys import clock
from deploys.actions.facts import record_fact
from deploys.models import Team
from reliability.actions.reports import close_report
from reliability.charts.numbers import NAMES
from reliability.models import ReportSnapshot
from tests.conftest import NOON
from tests.reliability.views.conftest import text_of

pytestmark = pytest.mark.django_db(databases="__all__")

WEEK = "2026-W10"
MONDAY = dt.datetime(2026, 3, 9, 6, tzinfo=dt.UTC)
LATER = MONDAY + dt.timedelta(days=2)


def rows(client: Client, team: Team, number: str, label: str = WEEK) -> str:
    answer = client.get(f"/t/{team.slug}/reports/{label}/rows/{number}/")
    assert answer.status_code == 200
    return text_of(answer.content.decode())


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("failed-changes", "Failed changes: 50.0 %, 1 of 2"),
        ("failed-changes", "cart 7.1 forward Tue 12:05:00 failed: confirmed cause of INC-1 No order can be paid"),
        ("failed-changes", "mailer 3 forward 07:05:00 suspected: suspected of INC-2 Mail is late"),
        ("failed-changes", "classes that count as failure downtime and multi-user a deploy may still fail for 3 d"),
        ("availability", "INC-1 No order can be paid downtime Tue 12:10:00 Tue 12:42:00 32 min"),
        ("self-inflicted", "INC-1 No order can be paid 32 min 32 min"),
        ("recovery", "cart 7.1 Tue 12:05:00 Tue 12:42:00 37 min"),
        ("time-to-restore", "INC-3 One mail bounced single-user 08:40:00 10:20:00 1 h 40 min"),
        ("issues", "3 of 3 rows in the number"),
        ("deploys", "cart 7.0 rollback Tue 12:41:00 succeeded"),
        ("all-changes", "1 of 3 rows in the number"),
        ("rework", "cart 7.0 rollback Tue 12:41:00 rework"),
        ("lead-time", "No row: nothing of this kind is known of the period."),
    ],
)
def test_a_number_tells_its_rows_and_its_rule(client: Client, busy: Team, number: str, said: str) -> None:
    assert said in rows(client, busy, number)


def test_the_report_leads_to_the_rows_of_each_number(client: Client, busy: Team) -> None:
    page = client.get(f"/t/{busy.slug}/reports/{WEEK}/").content.decode()

    led = set(re.findall(rf"/t/{busy.slug}/reports/{WEEK}/rows/([a-z-]+)/", page))

    assert led == set(NAMES) - {"lead-time"} or led == set(NAMES)


def test_rows_of_a_closed_report_stay_as_they_were(client: Client, busy: Team) -> None:
    close_report(team=busy, label=WEEK, now=MONDAY)
    with clock.at(LATER):
        before = rows(client, busy, "failed-changes")
        record_fact(
            team=busy, kind="incident", payload={"id": "i1", "dismissed": True}, received_at=LATER, origin="person"
        )

        assert rows(client, busy, "failed-changes") == before
        assert "failed: confirmed cause of INC-1 No order can be paid" in before
        assert "As of Mon 06:00:00, when the report was closed: what was told later is not in it." in before


def test_a_report_closed_before_rows_were_kept_is_worked_out_as_of_its_closing(client: Client, busy: Team) -> None:
    snapshot = close_report(team=busy, label=WEEK, now=MONDAY)
    ReportSnapshot.objects.filter(pk=snapshot.pk).update(beside={})
    record_fact(team=busy, kind="incident", payload={"id": "i1", "dismissed": True}, received_at=LATER, origin="person")
    with clock.at(LATER):
        found = rows(client, busy, "failed-changes")

    assert "failed: confirmed cause of INC-1 No order can be paid" in found
    assert "worked out again, from what was known when it was closed; they give the same numbers" in found


def test_rows_that_no_longer_give_the_numbers_say_so(client: Client, busy: Team) -> None:
    snapshot = close_report(team=busy, label=WEEK, now=MONDAY)
    ReportSnapshot.objects.filter(pk=snapshot.pk).update(beside={})
    record_fact(team=busy, kind="incident", payload={"id": "i1", "dismissed": True}, received_at=None, origin="import")
    with clock.at(LATER):
        assert "no longer give all its numbers" in rows(client, busy, "failed-changes")


def test_long_lists_come_in_pages(client: Client, team: Team, monkeypatch: pytest.MonkeyPatch, tell: object) -> None:
    assert callable(tell)
    monkeypatch.setattr("reliability.views.report_rows.MOST_LINES", 2)
    for index in range(3):
        tell(
            "deploy",
            id=f"d{index}",
            service="cart",
            release=f"{index}",
            status="success",
            started_at=30 - index,
            finished_at=20 - index,
        )

    first = client.get(f"/t/{team.slug}/reports/{WEEK}/rows/deploys/").content.decode()
    second = client.get(f"/t/{team.slug}/reports/{WEEK}/rows/deploys/?page=2").content.decode()

    assert (first.count("data-row"), second.count("data-row")) == (2, 1)


def test_a_closed_report_says_where_its_lists_differ_from_its_numbers(client: Client, busy: Team) -> None:
    close_report(team=busy, label=WEEK, now=MONDAY)
    with clock.at(LATER):
        before = text_of(client.get(f"/t/{busy.slug}/reports/{WEEK}/").content.decode())
        for payload in ({"id": "i1", "class": "multi_user"}, {"id": "i3", "dismissed": True}):
            record_fact(team=busy, kind="incident", payload=payload, received_at=LATER, origin="person")
        after = text_of(client.get(f"/t/{busy.slug}/reports/{WEEK}/").content.decode())

    assert "Known otherwise today" not in before
    assert (
        "Known otherwise today: INC-1 (downtime then, multi-user today), i3 (counted then, does not count today)."
        in after
    )


@pytest.mark.parametrize("path", [f"{WEEK}/rows/nothing/", "2026-W99/rows/issues/", "2027-W10/rows/issues/"])
def test_what_is_no_number_or_no_period_is_not_found(client: Client, team: Team, path: str) -> None:
    assert client.get(f"/t/{team.slug}/reports/{path}").status_code == 404


def test_the_number_of_rows_asks_no_more_queries(
    client: Client, team: Team, tell: object, django_assert_num_queries: object
) -> None:
    assert callable(tell)
    assert callable(django_assert_num_queries)
    assert NOON
    counts = []
    for index in range(3):
        tell(
            "deploy",
            id=f"d{index}",
            service="cart",
            release=f"{index}",
            status="success",
            started_at=30 - index,
            finished_at=20 - index,
        )
        if index != 1:
            with django_assert_num_queries(9) as queries:
                client.get(f"/t/{team.slug}/reports/{WEEK}/rows/deploys/")
            counts.append(len(queries))
    assert len(set(counts)) == 1
