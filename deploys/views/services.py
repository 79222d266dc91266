"""Services: the list, and one of them."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from deploys.models import Service
from deploys.queries.addresses import deploys_url, dsn_of
from deploys.views.access import TeamRequest, team_page


@team_page()
def service_list(request: TeamRequest) -> HttpResponse:
    """All services of the team."""
    services = request.team.services.order_by("name")
    return render(request, "deploys/service_list.html", {"services": services})


@team_page()
def service_detail(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One service."""
    service = get_object_or_404(Service.objects.select_related("team"), team=request.team, public_id=public_id)
    return render(
        request,
        "deploys/service_detail.html",
        {"service": service, "dsn": dsn_of(service), "deploys_url": deploys_url()},
    )
