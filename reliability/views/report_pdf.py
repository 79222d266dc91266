"""A report as PDF: the file, that it is being made, or how to get the typesetter."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deploys import clock
from deploys.views.access import TeamRequest, team_page
from reliability.actions.report_pdf import ask_for_pdf, is_installed
from reliability.addresses import page_url, report_url
from reliability.charts.report import period_name
from reliability.queries.reports import last_number
from reliability.views.reports import asked_period

AGAIN_SECONDS = 2
HOW = """make install-pdf
apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"""


@team_page()
@require_safe
def report_pdf(request: TeamRequest, label: str) -> HttpResponse:
    """The PDF of the snapshot that stands, or of now. While a worker makes it, the page asks again by itself."""
    team, now = request.team, clock.now()
    period = asked_period(team, label, now)
    context = {
        "label": label, "name": period_name(period), "report_url": report_url(team, label), "archive_url": page_url("report-list", team.slug)
    }  # fmt: skip
    if not is_installed():
        return render(request, "reliability/pdf_waiting.html", context | {"is_missing": True, "how": HOW})
    number, is_retry = last_number(team=team, label=label), "again" in request.GET
    pdf = ask_for_pdf(team=team, label=label, number=number, now=now, is_retry=is_retry)
    if pdf.content is not None:
        response = HttpResponse(bytes(pdf.content), content_type="application/pdf")
        response.headers["Content-Disposition"] = f'inline; filename="{team.slug}-{label}.pdf"'
        return response
    waiting = render(request, "reliability/pdf_waiting.html", context | {"pdf": pdf}, status=202)
    if not pdf.problem:
        waiting.headers["Refresh"] = str(AGAIN_SECONDS)
    return waiting
