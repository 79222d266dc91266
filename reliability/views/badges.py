"""Badges: pictures of a number at an address that can be shown anywhere, and renewed."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from deploys import clock
from deploys.models import Role, Service, Team
from deploys.views.access import TeamRequest, team_page
from reliability.actions.badges import renew_badge_key, team_of_badge
from reliability.charts.badges import Badge, badge_svg, budget_badge, failures_badge, uptime_badge
from reliability.models import ReportPlan
from reliability.queries.gauges import recent_part
from reliability.queries.reports import objectives_now

KINDS = {"uptime": "availability of 28 days", "failures": "failed changes of 28 days", "budget": "error budget left"}


@require_safe
def badge(request: HttpRequest, key: str, what: str) -> HttpResponse:
    """The picture, for anybody who has the address. `?service=` for one service; 404 for what is not known."""
    team = team_of_badge(key)
    if team is None or what not in KINDS:
        raise Http404
    response = HttpResponse(badge_svg(_badge(team, what, request.GET.get("service"))), content_type="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _badge(team: Team, what: str, service: str | None) -> Badge:
    now = clock.now()
    if what == "budget":
        objectives = objectives_now(team=team, now=now).values()
        return budget_badge([each for each in objectives if service is None or each["service"] == service])
    part = recent_part(team=team, now=now, service=service)
    if part is None:
        raise Http404
    return uptime_badge(part) if what == "uptime" else failures_badge(part)


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(write_role=Role.ADMIN)
def badge_page(request: TeamRequest) -> HttpResponse:
    """The addresses, with what they show now; a new key makes the old ones show nothing."""
    team = request.team
    if request.method == "POST":
        renew_badge_key(team=team)
        messages.success(request, "Badges have new addresses; the old ones show nothing.")
        return redirect("report-badges", team.slug)
    key = ReportPlan.objects.filter(team=team).values_list("badge_key", flat=True).first()
    rows = [
        {"what": what, "words": words, "path": reverse("badge", args=[key, what]), "url": settings.BASE_URL + reverse("badge", args=[key, what])}
        for what, words in KINDS.items()
    ] if key else []  # fmt: skip
    context = {
        "rows": rows, "may_renew": request.membership.role == Role.ADMIN,
        "services": Service.objects.filter(team=team, retired_at__isnull=True).order_by("name")[:1],
    }  # fmt: skip
    return render(request, "reliability/badges.html", context)
