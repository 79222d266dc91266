"""Deploys: the list, and one of them."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import render

from deploys import clock
from deploys.ports import panels
from deploys.queries.changes import KINDS, OUTCOMES, DeployFilter, deploys_of
from deploys.queries.pages import BadCursor, page_of
from deploys.views.access import TeamRequest, team_page

PAGE_SIZE = 40


@team_page()
def deploy_list(request: TeamRequest) -> HttpResponse:
    """Deploys, newest first, narrowed by the query string."""
    wanted = DeployFilter.of(request.GET)
    rows = deploys_of(request.team, wanted, now=clock.now())
    try:
        page = page_of(rows, by="started_at", query=request.GET, size=PAGE_SIZE)
    except BadCursor as error:
        raise Http404 from error
    context = {
        "page": page,
        "wanted": wanted,
        "services": request.team.services.order_by("name").values_list("name", flat=True),
        "environments": request.team.environments.order_by("name").values_list("name", flat=True),
        "kinds": KINDS,
        "outcomes": OUTCOMES,
    }
    return render(request, "deploys/deploy_list.html", context)


@team_page()
def deploy_detail(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One deploy: its answer, its states, what is in it."""
    deploy = deploys_of(request.team, DeployFilter(), now=clock.now()).filter(change__public_id=public_id).first()
    if deploy is None:
        raise Http404
    return render(
        request,
        "deploys/deploy_detail.html",
        {"deploy": deploy, "answers": panels("deploy-answer", request, deploy)},
    )
