"""Importing past incidents from a spreadsheet: the columns, the dry run, and doing it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from deploys import clock
from deploys.models import Fact
from incidents.models import Incident
from reliability.models import IncidentNews
from tests.conftest import NOON
from tests.factories.incidents import service_of
from tests.incidents.views.pages import HOSTILE, Desk, desk, read

pytestmark = [pytest.mark.django_db(databases="__all__")]

TABLE = """Ticket;Title;Impact;System;Start;Resolved;Sev;Comment
T-1;Checkout down;outage;shop;02.02.2026 10:00;02.02.2026 10:30;1;It was *the* disk
T-2;Slow pages;degraded;shop, api;03.02.2026 10:00;03.02.2026 11:00;3;
T-3;No start;outage;shop;;;;
T-4;Tomorrow;outage;shop;05.03.2026 10:00;;;
"""


@pytest.fixture(autouse=True)
def noon() -> Any:
    with clock.at(NOON):
        yield


def mapping(**more: str) -> dict[str, str]:
    keys = ("id", "title", "class", "services", "started_at", "restored_at", "severity", "note")
    return {"text": TABLE, "zone": "UTC", "dates": "day", **{f"column{n}": key for n, key in enumerate(keys)}, **more}


def test_columns_are_asked_with_a_guess_and_an_example() -> None:
    at = desk()

    page = at.post("incident-import", text=TABLE)

    assert page.status_code == 200
    assert '<option value="started_at" selected>' in page.content.decode()
    assert "for example Checkout down" in read(page)
    assert Incident.objects.count() == 0


def test_the_dry_run_writes_nothing_and_says_what_would_be() -> None:
    at = desk()
    service_of(at.team)

    page = read(at.post("incident-import", act="look", **mapping()))

    assert "new 2 changed 0 known already 0 refused 2 new services api" in page
    assert "4 no start: neither when it began nor when it was detected" in page
    assert "5 started has not come yet" in page
    assert "2026-02-02T10:00:00Z 2026-02-02T10:30:00Z" in page
    assert "Import 2" in page
    assert (Incident.objects.count(), Fact.objects.filter(kind="incident").count()) == (0, 0)


def imported(at: Desk) -> Any:
    return at.client.post(at.url("incident-import"), {"act": "import", **mapping()}, follow=True)


def test_importing_twice_is_importing_once() -> None:
    at = desk()

    first, second = read(imported(at)), read(imported(at))

    assert "2 new, 0 changed, 0 known already, 2 refused." in first
    assert "0 new, 0 changed, 2 known already, 2 refused." in second
    row = Incident.objects.get(external_id="T-1")
    assert (row.impact_class, row.severity, row.closed_at, row.source) == (
        "downtime", "sev1", dt.datetime(2026, 2, 2, 10, 30, tzinfo=dt.UTC), "table",
    )  # fmt: skip
    assert list(row.timeline.order_by("pk").values_list("kind", "text")) == [
        ("opened", "Taken from a table of past incidents."), ("note", "It was *the* disk"),
    ]  # fmt: skip
    assert Fact.objects.filter(kind="incident").count() == 2
    assert IncidentNews.objects.count() == 0


def test_a_row_that_says_something_else_changes_its_incident() -> None:
    at = desk()
    imported(at)

    changed = mapping(text=TABLE.replace("10:30", "10:45"))
    page = read(at.client.post(at.url("incident-import"), {"act": "import", **changed}, follow=True))

    assert "0 new, 1 changed, 1 known already, 2 refused." in page
    assert Incident.objects.get(external_id="T-1").restored_at == dt.datetime(2026, 2, 2, 10, 45, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "raw", [TABLE.encode(), "\N{BOM}".encode() + TABLE.encode(), TABLE.replace("disk", "Säule").encode("cp1252")]
)
def test_a_file_is_as_good(raw: bytes) -> None:
    at = desk()

    page = at.client.post(at.url("incident-import"), {"file": SimpleUploadedFile("past.csv", raw)})

    assert "for example Checkout down" in read(page)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"text": ""}, "Expected a line with the names of the columns"),
        ({"text": "title\n" + "x" * 1_500_001}, "A table has at most 1,500 kB here"),
        (mapping(act="look", column0="title"), "Two columns are called title: choose one."),
        (mapping(act="look", zone="Nowhere"), "No time zone is called"),
        (mapping(act="import", dates="roman"), "Select a valid choice"),
    ],
)
def test_what_cannot_be_read_is_refused(data: dict[str, str], words: str) -> None:
    at = desk()

    answer = at.client.post(at.url("incident-import"), data)

    assert answer.status_code == 422
    assert words in read(answer)
    assert Incident.objects.count() == 0


def test_a_file_that_is_too_large_is_refused() -> None:
    at = desk()
    big = SimpleUploadedFile("past.csv", b"title\n" + b"x" * 1_500_001)

    assert at.client.post(at.url("incident-import"), {"file": big}).status_code == 422


def test_hostile_texts_are_inert() -> None:
    at = desk()
    text = f'title,{HOSTILE.replace(",", "")}\n"</textarea>{HOSTILE}",b\n'

    pages = [at.post("incident-import", text=text), at.post("incident-import", **mapping(text=text, act="look"))]

    for page in pages:
        for harm in ("<script>alert", "<img", "140007", "</textarea><script"):
            assert harm not in page.content.decode(), harm


def test_logging_afterwards_takes_all_clocks() -> None:
    at = desk()
    service_of(at.team)
    clocks = {
        "started_at": "2026-03-03T10:00:00", "detected_at": "2026-03-03T10:05:00",
        "acknowledged_at": "2026-03-03T10:06:00", "mitigated_at": "2026-03-03T10:20:00",
        "restored_at": "2026-03-03T10:30:00",
    }  # fmt: skip

    late = at.post("incident-declare", title="Down", **clocks | {"mitigated_at": "2026-03-03T11:00:00"})
    done = at.post("incident-declare", title="Down", **clocks)

    assert "Mitigated cannot come after restored." in read(late)
    assert done.status_code == 302
    row = Incident.objects.get()
    assert [row.detected_at.minute, row.acknowledged_at.minute, row.mitigated_at.minute, row.restored_at.minute] == [
        5,
        6,
        20,
        30,
    ]  # type: ignore[union-attr]  # all are set
