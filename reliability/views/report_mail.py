"""Who gets a team's reports by mail, what became of each, and the way out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.models import Role
from deploys.views.access import TeamRequest, team_page
from deploys.views.acts import Acts, is_admin, perform, public_id_of
from deploys.views.forms import PlainForm, ZoneField, zone_names
from reliability.actions.report_mail import stop, subscribe, subscription_of
from reliability.domain.periods import PeriodKind
from reliability.models import OutgoingMail, ReportSubscription


class SubscriptionForm(PlainForm):
    """One reader of one kind of report."""

    email = forms.EmailField(label="To", max_length=254)
    kind = forms.ChoiceField(label="Report of each", choices=[(str(kind), str(kind)) for kind in PeriodKind])
    zone = ZoneField(label="Reader's zone", help_text="When it is sent. The report keeps the zone of the team.")
    hour = forms.IntegerField(
        label="Not before the hour", min_value=0, max_value=23, initial=9, help_text="On the reader's clock."
    )
    skips_quiet = forms.BooleanField(label="Not when nothing happened", required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(write_role=Role.VIEWER)
def report_mail(request: TeamRequest) -> HttpResponse:
    """Readers and what was sent. Everybody may choose for themselves, administrators for anybody."""
    if request.method == "POST":
        acts: Acts = {"add": _add, "stop": _stop}
        return perform(request, acts, "report-mail")
    return _page(request)


def _page(request: TeamRequest, *, form: SubscriptionForm | None = None) -> HttpResponse:
    team = request.team
    rows = ReportSubscription.objects.filter(team=team, stopped_at__isnull=True).order_by("email", "kind")
    mails = OutgoingMail.objects.filter(team=team, key__startswith="report/").defer("text", "html")
    if not is_admin(request):
        rows, mails = rows.filter(email=request.user.email), mails.filter(to=request.user.email)
    context: dict[str, Any] = {  # Any: what a template reads
        "form": form or SubscriptionForm(initial={"email": request.user.email, "zone": request.user.zone, "kind": "week"}),
        "rows": rows, "mails": mails.order_by("-created_at", "-pk")[:20], "is_admin": is_admin(request), "is_set": settings.MAIL_IS_SET,
        "zones": zone_names(),
    }  # fmt: skip
    return render(request, "reliability/report_mail.html", context, status=422 if form else 200)


def _add(request: TeamRequest) -> HttpResponse | None:
    form = SubscriptionForm(request.POST)
    if form.is_valid() and not is_admin(request) and form.cleaned_data["email"].lower() != request.user.email:
        form.add_error("email", "Only administrators choose for others; this is not your address.")
    if not form.is_valid():
        return _page(request, form=form)
    subscribe(team=request.team, by=request.user, now=clock.now(), **form.cleaned_data)
    messages.success(request, "The next report goes there after it is closed.")
    return None


def _stop(request: TeamRequest) -> None:
    rows = ReportSubscription.objects.filter(team=request.team, public_id=public_id_of(request, "subscription"))
    if not is_admin(request):
        rows = rows.filter(email=request.user.email)
    for row in rows:
        stop(subscription=row, now=clock.now())
        messages.success(request, f"No more mail to {row.email}.")


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def report_mail_stop(request: HttpRequest, token: str) -> HttpResponse:
    """The way out that stands in every mail: a question when it is opened, done when it is posted."""
    subscription = subscription_of(token)
    if subscription is None:
        return render(request, "reliability/report_mail_stop.html", {"subscription": None}, status=404)
    if request.method == "POST":
        stop(subscription=subscription, now=clock.now())
        subscription.refresh_from_db()
    return render(request, "reliability/report_mail_stop.html", {"subscription": subscription})
