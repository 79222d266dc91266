"""Links that show one report without an account: making, listing and revoking them, and what they show."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from deploys import clock
from deploys.models import Role
from deploys.views.access import TeamRequest, team_page
from deploys.views.acts import public_id_of
from reliability.actions.report_shares import revoke_share, share_report, shared_by
from reliability.addresses import Links, report_url
from reliability.charts.report import basis_of, period_name
from reliability.domain.periods import period_labelled
from reliability.domain.weeks import zone_named
from reliability.models import ReportShare
from reliability.views.reports import asked_period, page_context


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(role=Role.RESPONDER)
def shares(request: TeamRequest, label: str) -> HttpResponse:
    """The links of a report that work, and a button for another one, which is shown once."""
    team, now = request.team, clock.now()
    period, made = asked_period(team, label, now), ""
    if request.method == "POST" and request.POST.get("act") == "revoke":
        if revoke_share(team=team, public_id=public_id_of(request, "share"), now=now):
            messages.success(request, "The link shows nothing any more.")
        return redirect("report-share", team.slug, label)
    if request.method == "POST":
        secret = share_report(team=team, label=label, by=request.user, now=now)
        made = f"{settings.BASE_URL}{reverse('shared-report', args=[secret])}"
    rows = ReportShare.objects.filter(team=team, label=label, revoked_at__isnull=True, expires_at__gt=now)
    context = {
        "label": label, "name": period_name(period), "report_url": report_url(team, label), "made": made,
        "rows": rows.select_related("created_by").order_by("-created_at", "-pk"),
    }  # fmt: skip
    return render(request, "reliability/report_share.html", context)


@require_safe
def shared(request: HttpRequest, secret: str) -> HttpResponse:
    """The report behind a link, for whoever holds it: nothing in it leads further. 404 once it is revoked or over."""
    now = clock.now()
    share = shared_by(secret, now=now)
    if share is None:
        response = render(request, "reliability/shared_gone.html", status=404)
    else:
        period = period_labelled(share.label, zone_named(share.team.zone))
        basis = basis_of(team=share.team, period=period, now=now)
        context = page_context(basis, Links(share.team, is_open=False)) | {"share": share}
        with timezone.override(period.zone):
            response = render(request, "reliability/shared_report.html", context)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
