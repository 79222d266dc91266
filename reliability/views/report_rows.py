"""What a number of a report was made of: its rows, its rule, and what of the policy decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deploys import clock
from deploys.domain.wording import duration, listed
from deploys.models import Team
from deploys.views.access import TeamRequest, team_page
from reliability.addresses import change_url, incident_url, page_url, report_url
from reliability.charts.numbers import NAMES, Line, numbers_of
from reliability.charts.report import basis_of, days_in_words, period_name
from reliability.queries.behind import incidents_by_ids, rows_now, rows_stored
from reliability.queries.week import deploys_by_ids
from reliability.views.reports import asked_period

MOST_LINES = 200
Named = tuple[str, str]
"""What a row is called, and where it leads."""


@team_page()
@require_safe
def report_rows(request: TeamRequest, label: str, number: str) -> HttpResponse:
    """The rows behind one number of a report, those that count first; of a closed report, as they were when it was closed."""
    team, now = request.team, clock.now()
    period = asked_period(team, label, now)
    if number not in NAMES:
        raise Http404
    basis = basis_of(team=team, period=period, now=now)
    behind = rows_stored(basis.snapshots[-1], period) if basis.snapshots else rows_now(basis.known, period)
    found = numbers_of(basis.printed["total"], behind.rows)[number]()
    page = Paginator(found.lines, MOST_LINES).get_page(request.GET.get("page"))
    names = _names(team, page.object_list)
    context = {
        "number": found, "label": label, "name": period_name(period), "days": days_in_words(basis.window, basis.zone), "zone": basis.zone.key,
        "lines": [
            {"name": names[line.kind, line.id], "is_counted": line.is_counted, "cells": [(cell, [names[each] for each in cell.named]) for cell in line.cells]}
            for line in page.object_list
        ],
        "page": page, "total": len(found.lines), "counted": sum(line.is_counted for line in found.lines), "policy": _policy(basis.printed["policy"], found.policy),
        "as_of": basis.as_of, "snapshot": basis.snapshots[-1] if basis.snapshots else None, "behind": behind, "is_running": basis.is_running,
        "report_url": report_url(team, label), "archive_url": page_url("report-list", team.slug), "environment": basis.printed["policy"]["environment"],
    }  # fmt: skip
    return render(request, "reliability/rows.html", context)


def _names(team: Team, lines: Iterable[Line]) -> Mapping[tuple[str, str], Named]:
    """Names and addresses of these rows as they are today; what is gone keeps the name it had. Two queries."""
    named = [each for line in lines for cell in line.cells for each in cell.named]
    names: dict[tuple[str, str], Named] = {each: (each[1], "") for each in named}
    names |= {(line.kind, line.id): (line.name, "") for line in lines}
    for deploy in deploys_by_ids(team=team, ids=[name for kind, name in names if kind == "deploy"]):
        for name in (deploy.external_id, str(deploy.change.public_id)):
            if ("deploy", name) in names:
                known = names["deploy", name][0]
                called = f"{deploy.service.name} {deploy.release or name}" if known == name else known
                names["deploy", name] = (called, change_url(team, deploy.change))
    for incident in incidents_by_ids(team=team, ids=[name for kind, name in names if kind == "incident"]):
        for name in (incident.external_id, str(incident.public_id)):
            if ("incident", name) in names:
                names["incident", name] = (f"{incident.slug} {incident.title}".strip(), incident_url(team, incident))
    return names


_WORDS = {
    "failure_classes": "classes that count as failure",
    "pending_seconds": "a deploy may still fail for",
    "maintenance_notice_seconds": "maintenance is announced",
    "deploy_timeout_seconds": "a deploy counts as never finished after",
}


def _policy(policy: Mapping[str, Any], names: Iterable[str]) -> list[tuple[str, str]]:  # Any: the printed policy
    """What of the policy decides, in words."""
    said = []
    for name in names:
        value = policy[name]
        if name == "failure_classes":
            text = listed([each.replace("_", "-") for each in value])
        else:
            text = duration(value) + (" ahead" if name == "maintenance_notice_seconds" else "")
        said.append((_WORDS[name], text))
    return said
