"""Reports as PDF: asked for on a page or at the closing, made by a worker, kept with the snapshot.

The typesetter is an extra (`make install-pdf`) and runs in a process of its own; see `reliability.typesetting`.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe

from deploys import clock
from deploys.charts.figures import Figure
from deploys.charts.palette import light_tokens
from deploys.models import Service, Team
from incidents.domain.completeness import sentences
from incidents.queries.completeness import missing_in
from reliability import typesetting
from reliability.addresses import Links
from reliability.charts.report import basis_of
from reliability.charts.report_page import report_context
from reliability.charts.svg import self_contained, still
from reliability.domain.periods import Period, period_labelled
from reliability.domain.weeks import zone_named
from reliability.models import ReportPdf, ReportSnapshot

logger = logging.getLogger(__name__)

RUNNING_KEPT: Final = timedelta(minutes=10)
"""The PDF of a period that is not closed is made anew after this."""

PAGE_WIDTH: Final = 680
HALF_WIDTH: Final = 328
SECONDS: Final = 90


class NotSet(RuntimeError):
    """Raised where the typesetter made no PDF; the text is the last line of what it said."""


def is_installed() -> bool:
    """Whether the extra is there."""
    return find_spec("weasyprint") is not None


def ask_for_pdf(*, team: Team, label: str, number: int, now: datetime, is_retry: bool = False) -> ReportPdf:
    """The PDF of a report, or that it is waited for. Idempotent; one of a running period is asked for again when it is old.

    is_retry: one that could not be made is tried once more.
    """
    row, is_new = ReportPdf.objects.get_or_create(team=team, label=label, number=number, defaults={"asked_at": now})
    is_old = row.made_at is not None and number == 0 and now - row.made_at > RUNNING_KEPT
    if not is_new and (is_old or (row.problem and is_retry)):
        ReportPdf.objects.filter(pk=row.pk).update(asked_at=now, made_at=None, content=None, problem="")
        row.refresh_from_db()
    return row


def keep_pdf(snapshot: ReportSnapshot, *, now: datetime) -> None:
    """A closed report has its PDF made without being asked; those of the running period are not needed any more."""
    if is_installed():
        ask_for_pdf(team=snapshot.team, label=snapshot.label, number=snapshot.number, now=now)
        ReportPdf.objects.filter(team=snapshot.team, label=snapshot.label, number=0).delete()


def is_any_waiting() -> bool:
    """Whether a PDF is to be made. One query."""
    return ReportPdf.objects.filter(made_at__isnull=True).exists()


def make_waiting_pdfs() -> int:
    """Makes what was asked for, the oldest first; how many. One that fails says why and does not stop the others."""
    made = 0
    for row in ReportPdf.objects.filter(made_at__isnull=True).select_related("team").order_by("asked_at", "pk"):
        try:
            content, problem = typeset(pdf_html(team=row.team, label=row.label, now=clock.now())), ""
        except NotSet as error:
            content, problem = None, str(error)[:500]
            logger.warning("a report could not be set", extra={"team": row.team.slug, "report": row.label})
        ReportPdf.objects.filter(pk=row.pk).update(content=content, problem=problem, made_at=clock.now())
        made += 1
    return made


def pdf_html(*, team: Team, label: str, now: datetime) -> str:
    """The page that is typeset: everything in it, nothing to fetch."""
    period = period_labelled(label, zone_named(team.zone))
    basis = basis_of(team=team, period=period, now=now)
    context = report_context(basis, Links(team))
    figures: dict[str, Figure] = context["figures"]
    stills = {
        name: mark_safe(still(figure, width=PAGE_WIDTH if name == "strip" else HALF_WIDTH))  # noqa: S308 -- escaped where it is drawn
        for name, figure in figures.items()
    }
    context |= {"stills": stills, "missing": _missing(team, period), "tokens": light_tokens().items()}
    with timezone.override(basis.zone):
        return self_contained(render_to_string("pdf/report.html", context))


def _missing(team: Team, period: Period) -> list[str]:
    """What is known to be missing from the numbers, a sentence each."""
    window = period.interval
    found = missing_in(services=list(Service.objects.filter(team=team)), begins_at=window.start, ends_at=window.end)
    return [each.text for each in sentences(found, zone=period.zone)]


def typeset(html: str) -> bytes:
    """The PDF. NotSet where the typesetter is not there, fails or takes too long."""
    program = [sys.executable, "-I", str(Path(typesetting.__file__)), f"{settings.BASE_URL}/"]
    try:
        done = subprocess.run(program, input=html.encode(), capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotSet(f"not done after {SECONDS} s") from error
    if done.returncode or not done.stdout.startswith(b"%PDF"):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NotSet(said[-1] if said else f"ended with {done.returncode}")
    return done.stdout
