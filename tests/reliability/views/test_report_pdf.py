"""A report as PDF: asked for, made apart, kept with its snapshot, and what stands in it."""

from __future__ import annotations

import datetime as dt
import re
import zlib

import pytest
from django.test import Client

from deploys import clock
from deploys.models import Team
from reliability import tasks
from reliability.actions import report_pdf
from reliability.actions.report_pdf import NotSet, keep_pdf, make_waiting_pdfs, pdf_html, typeset
from reliability.actions.reports import close_report
from reliability.models import ReportPdf
from reliability.typesetting import laid_out
from tests.golden import golden

pytestmark = pytest.mark.django_db(databases="__all__")

WEEK = "2026-W10"
MONDAY = dt.datetime(2026, 3, 9, 6, tzinfo=dt.UTC)
LATER = MONDAY + dt.timedelta(hours=3)


def address(team: Team) -> str:
    return f"/t/{team.slug}/reports/{WEEK}/report.pdf"


def said(document: object) -> str:
    """Bookmarks and words of a laid out document, page by page, without its line breaks."""
    parts = []
    for place, page in enumerate(document.pages, 1):  # type: ignore[attr-defined]  # a weasyprint.Document
        marks = " | ".join(mark.label if hasattr(mark, "label") else mark[1] for mark in page.bookmarks)
        boxes = [box.text for box in page._page_box.descendants() if hasattr(box, "text")]
        words = re.sub(r"(?<=\w[-–/]) ", "", re.sub(r"\s+", " ", " ".join(boxes)).strip())  # lines may end there
        parts.append(f"== page {place}: {marks}\n{words}\n")
    return "\n".join(parts)


def test_the_pdf_says_what_was_looked_at(busy: Team) -> None:
    close_report(team=busy, label=WEEK, now=MONDAY)

    with clock.at(LATER):
        html = pdf_html(team=busy, label=WEEK, now=LATER)
    found = said(laid_out(html, "https://upshot.example.org/"))

    assert found == golden("report_pdf.txt", found)
    assert not re.search(r'(src|xlink:href)="', html)
    assert "<script" not in html
    assert html.count('class="still"') == 6


def test_the_typesetter_makes_a_tagged_pdf_in_a_process_of_its_own() -> None:
    made = typeset('<html lang="en"><title>One</title><h1>One</h1><p>two')

    assert made.startswith(b"%PDF-")
    streams = [
        zlib.decompressobj().decompress(each) for each in re.findall(rb"stream\n(.*?)\nendstream", made, re.DOTALL)
    ]
    assert any(b"/StructTreeRoot" in each for each in [made, *streams])


def test_the_typesetter_fetches_nothing(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    import logging  # noqa: PLC0415 -- only to hear the library's own logger

    monkeypatch.setattr(logging.getLogger("weasyprint"), "propagate", True)
    wanted = ["file:///etc/hostname", "http://127.0.0.1:9/x.png", "data:image/png;base64,AAAA"]

    laid_out(
        "".join(f'<img src="{each}">' for each in wanted) + '<link rel="stylesheet" href="file:///etc/passwd">',
        "file:///etc/",
    )

    assert sum("not fetched" in record.getMessage() for record in caplog.records) == 4


def test_what_the_typesetter_cannot_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_pdf.typesetting, "__file__", "/nowhere/typesetting.py")

    with pytest.raises(NotSet, match="nowhere"):
        typeset("x")


def test_a_pdf_is_made_once_by_a_worker(client: Client, busy: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(report_pdf, "typeset", lambda html: made.append(html) or b"%PDF-1.7 it")
    close_report(team=busy, label=WEEK, now=MONDAY)
    with clock.at(LATER):
        waiting = client.get(address(busy))
        again = client.get(address(busy))
        assert make_waiting_pdfs() == 1
        assert make_waiting_pdfs() == 0
        ready = client.get(address(busy))

    assert (waiting.status_code, waiting.headers["Refresh"]) == (202, "2")
    assert "The PDF is being made" in again.content.decode()
    assert (ready.status_code, ready.content, ready.headers["Content-Type"]) == (200, b"%PDF-1.7 it", "application/pdf")
    assert ready.headers["Content-Disposition"] == f'inline; filename="{busy.slug}-{WEEK}.pdf"'
    assert len(made) == 1


def test_a_running_period_is_set_anew_after_a_while(
    client: Client, busy: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_pdf, "typeset", lambda _: b"%PDF-1.7")
    now = MONDAY - dt.timedelta(days=2)
    statuses = []
    for minutes in (0, 1, 9, 12):
        with clock.at(now + dt.timedelta(minutes=minutes)):
            statuses.append(client.get(address(busy)).status_code)
            make_waiting_pdfs()

    assert statuses == [202, 200, 200, 202]


def test_the_pdf_of_a_closed_report_is_made_without_being_asked(busy: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    ReportPdf.objects.create(team=busy, label=WEEK, number=0, asked_at=MONDAY)

    keep_pdf(close_report(team=busy, label=WEEK, now=MONDAY), now=MONDAY)

    assert list(ReportPdf.objects.values_list("number", "made_at")) == [(1, None)]
    monkeypatch.setattr(report_pdf, "is_installed", lambda: False)
    ReportPdf.objects.all().delete()
    keep_pdf(close_report(team=busy, label=WEEK, now=MONDAY), now=MONDAY)
    assert not ReportPdf.objects.exists()


def test_a_failure_is_told_and_tried_again_when_asked(
    client: Client, busy: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> bytes:
        raise NotSet("cannot load library 'pango'")

    monkeypatch.setattr(report_pdf, "typeset", fail)
    with clock.at(LATER):
        client.get(address(busy))
        make_waiting_pdfs()
        told = client.get(address(busy))
        assert "cannot load library" in told.content.decode()
        assert "Refresh" not in told.headers
        assert make_waiting_pdfs() == 0
        assert "is being made" in client.get(f"{address(busy)}?again=1").content.decode()
    assert make_waiting_pdfs() == 1


def test_without_the_extra_the_page_says_how_to_get_it(
    client: Client, busy: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reliability.views.report_pdf.is_installed", lambda: False)

    answer = client.get(address(busy))

    assert answer.status_code == 200
    assert "make install-pdf" in answer.content.decode()
    assert not ReportPdf.objects.exists()


def test_a_worker_is_woken_only_where_something_waits(busy: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[object] = []
    monkeypatch.setattr(tasks.make_pdfs, "apply_async", lambda **_: woken.append(1))

    tasks.wake_pdfs()
    ReportPdf.objects.create(team=busy, label=WEEK, number=0, asked_at=MONDAY)
    tasks.wake_pdfs()

    assert woken == [1]
