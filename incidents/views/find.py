"""Finding by a word: the box in the rail."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from deploys.views.access import TeamRequest, team_page
from incidents.queries.found import found, numbered
from incidents.views.naming import page_of


@require_GET
@team_page()
def find(request: TeamRequest) -> HttpResponse:
    """What matches `q`; a number of an incident leads straight to it."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    number = numbered(team=request.team, text=text)
    if number is not None:
        return redirect("incident-detail", request.team.slug, number)
    results = found(team=request.team, text=text)
    slug = request.team.slug
    context = {
        "q": text,
        "results": results,
        "deploys": [(deploy, page_of("deploy-detail", slug, deploy.change.public_id)) for deploy in results.deploys],
        "services": [(service, page_of("service-detail", slug, service.public_id)) for service in results.services],
        "flags_url": page_of("flag-list", slug),
    }
    return render(request, "incidents/find.html", context)
