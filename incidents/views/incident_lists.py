"""What is done with a list of incidents: taking it along as CSV or JSON, and one act on many."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from deploys import clock
from deploys.domain.instants import instant_text
from deploys.views.access import TeamRequest, team_page
from incidents.actions import bulk
from incidents.domain.clocks import Clock
from incidents.domain.response import Severity
from incidents.models import BulkAct, Incident
from incidents.queries.incidents import incident_page
from incidents.views.forms import IncidentFilterForm

PAGE = 500
COLUMNS = (
    "incident", "title", "class", "severity", "status", "environment", "services", "started_at", "detected_at",
    "acknowledged_at", "mitigated_at", "restored_at", "closed_at", "users_count", "events_count", "web_url",
)  # fmt: skip


def _incidents(request: TeamRequest) -> Iterator[Incident]:
    """All incidents of the filter in the address, newest first, a page at a time."""
    wanted = IncidentFilterForm(request.GET, team=request.team).wanted
    page = incident_page(team=request.team, wanted=wanted, size=PAGE)
    yield from page.incidents
    while page.next_cursor is not None:
        page = incident_page(team=request.team, wanted=wanted, after=page.next_cursor, size=PAGE)
        yield from page.incidents


def _rows(request: TeamRequest) -> Iterator[dict[str, Any]]:  # Any: JSON
    for incident in _incidents(request):
        clocks = {each.value: getattr(incident, each.value) for each in Clock}
        yield {
            "incident": incident.slug,
            "public_id": str(incident.public_id),
            "title": incident.title,
            "class": incident.impact_class,
            "severity": incident.severity,
            "status": incident.standing,
            "environment": incident.environment.name,
            "services": [each.service.name for each in incident.incident_services.all()],
            **{name: None if at is None else instant_text(at) for name, at in clocks.items()},
            "users_count": incident.users_count,
            "events_count": incident.events_count,
            "web_url": settings.BASE_URL + reverse("incident-detail", args=[request.team.slug, incident.number]),
        }


class _Echo:
    """What csv.writer writes to: gives each line back."""

    def write(self, line: str) -> str:
        """The line."""
        return line


def _cell(value: object) -> str:
    """As a spreadsheet takes it; what it would take for a formula is told to be text."""
    text = "" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@require_GET
@team_page()
def incident_csv(request: TeamRequest) -> HttpResponse:
    """The list as CSV."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[Any]:  # Any: what the writer gives back
        yield writer.writerow(COLUMNS)
        for row in _rows(request):
            yield writer.writerow([_cell(row[name]) for name in COLUMNS])

    return _file(request, lines(), "csv", "text/csv")


@require_GET
@team_page()
def incident_json(request: TeamRequest) -> HttpResponse:
    """The list as JSON, one incident a line."""
    return _file(request, (json.dumps(row) + "\n" for row in _rows(request)), "jsonl", "application/x-ndjson")


def _file(request: TeamRequest, lines: Iterator[Any], ending: str, kind: str) -> HttpResponse:  # Any: texts
    answer = HttpResponse("".join(lines), content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{request.team.slug}-incidents.{ending}"'
    return answer


@require_POST
@team_page()
def incident_bulk(request: TeamRequest) -> HttpResponse:
    """One act on the chosen incidents."""
    numbers = [
        int(each) for each in request.POST.getlist("number") if each.isascii() and each.isdigit() and len(each) < 10
    ]
    chosen = request.POST.get("act", "")
    name, _, severity = chosen.partition(":")
    try:
        done = bulk.act_on_many(
            team=request.team, numbers=numbers, act=BulkAct.Act(name), by=request.user, now=clock.now(),
            severity=Severity(severity),
        )  # fmt: skip
    except bulk.BulkRefused as refused:
        messages.error(request, str(refused))
    except ValueError:
        messages.error(request, "Choose what to do.")
    else:
        messages.success(request, f"Done to {len(done.before)}. It can be undone for a day, below.")
    return _back(request)


@require_POST
@team_page()
def incident_bulk_undo(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """Taking an act on many back."""
    row = get_object_or_404(BulkAct, team=request.team, public_id=public_id)
    try:
        count = bulk.undo(bulk=row, by=request.user, now=clock.now())
    except bulk.BulkRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"Taken back for {count}.")
    return _back(request)


def _back(request: TeamRequest) -> HttpResponse:
    """To the list as it was narrowed."""
    back = request.POST.get("back", "")
    if back.startswith("?") and url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        answer = redirect("incident-list", request.team.slug)
        answer["Location"] += back
        return answer
    return redirect("incident-list", request.team.slug)
