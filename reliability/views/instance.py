"""The instance itself, for those who run it: what /readyz asks, and what each recurring job ended with."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deploys import clock
from deploys.views.access import instance_page
from incidents.queries.dead_letters import orphans
from reliability.queries.health import findings, jobs


@require_safe
@instance_page
def instance(request: HttpRequest) -> HttpResponse:
    """Findings, jobs with their errors, and where stray bodies lie."""
    now = clock.now()
    lines = jobs(now=now)
    context = {
        "findings": findings(now=now),
        "jobs": lines,
        "troubled_count": sum(not line.is_well for line in lines),
        "strays_count": orphans().count(),
    }
    return render(request, "reliability/instance.html", context)
