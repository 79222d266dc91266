"""What watches a service: its monitors, set from its page."""

from __future__ import annotations

import datetime as dt
import uuid

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from deploys import clock
from deploys.models import Role, Service
from deploys.views.access import TeamRequest, is_at_least, team_page
from deploys.views.forms import PlainForm
from incidents.actions.monitors import CERTIFICATE_WARNINGS, LONGEST_URL, add_monitor, stop_monitor
from incidents.actions.watching import end_unwatched
from incidents.domain.addresses import BadUrl
from incidents.models import Check, Job, Monitor
from incidents.views.jobs import is_late

HOUR = dt.timedelta(hours=1)
MOST_JOBS = 30


class MonitorForm(PlainForm):
    """An address to ask, and how often."""

    url = forms.CharField(
        label="Address to ask",
        max_length=LONGEST_URL,
        widget=forms.URLInput({"placeholder": "https://shop.example/health"}),
    )
    period_seconds = forms.TypedChoiceField(
        label="How often", coerce=int, initial=60, choices=((5, "every 5 seconds"), (15, "every 15 seconds"), (60, "every minute"), (300, "every 5 minutes")),
    )  # fmt: skip


def watched_by(request: HttpRequest, service: Service) -> str:
    """The panel of a service's page: what watches it, what it saw last, and a form to add a monitor. Three queries."""
    now = clock.now()
    monitors = list(Monitor.objects.filter(service=service, is_active=True).order_by("created_at", "id"))
    recent = Check.objects.filter(service=service, at__gte=now - HOUR).order_by("-at", "-id")[:400]
    last: dict[str, Check] = {}
    for check in recent:
        last.setdefault(check.source, check)
    rows = [
        {"monitor": each, "last": last.get(str(each.public_id)), "certificate": _certificate(each, now)}
        for each in monitors
    ]
    jobs = Job.objects.filter(service=service).select_related("environment")
    context = {
        "service": service, "rows": rows, "form": MonitorForm(), "may_set": is_at_least(request, Role.ADMIN),
        "may_declare": is_at_least(request, Role.RESPONDER),
        "is_unwatched": service.is_unwatched, "jobs": [(job, is_late(job, now)) for job in jobs.order_by("environment__name", "slug")[:MOST_JOBS]],
    }  # fmt: skip
    return render_to_string("incidents/panels/watched_by.html", context, request=request)


def _certificate(monitor: Monitor, now: dt.datetime) -> dict[str, bool] | None:
    until = monitor.certificate_until
    return None if until is None else {"is_soon": until - now <= CERTIFICATE_WARNINGS[0], "has_ended": until <= now}


def _found(request: TeamRequest, public_id: uuid.UUID) -> Service:
    return get_object_or_404(Service.objects.select_related("team"), team=request.team, public_id=public_id)


@require_POST
@team_page(write_role=Role.ADMIN)
def monitor_add(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """Adds a monitor, and says what is wrong with an address that cannot be asked."""
    service = _found(request, public_id)
    form = MonitorForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            add_monitor(
                service=service, url=data["url"].strip(), now=clock.now(), period_seconds=data["period_seconds"]
            )
        except BadUrl as problem:
            messages.error(request, f"Not added: {problem}.")
        else:
            messages.success(request, "The monitor is added and asks for the first time now.")
    else:
        messages.error(
            request, "Not added: " + " ".join(str(error) for errors in form.errors.values() for error in errors)
        )
    return redirect("service-detail", request.team.slug, service.public_id)


@require_POST
@team_page(write_role=Role.ADMIN)
def monitor_stop(request: TeamRequest, public_id: uuid.UUID, monitor_id: uuid.UUID) -> HttpResponse:
    """Stops a monitor. What it found stays."""
    service = _found(request, public_id)
    monitor = get_object_or_404(Monitor, service=service, public_id=monitor_id)
    stop_monitor(monitor=monitor)
    messages.success(request, "The monitor asks no more. What it found stays.")
    return redirect("service-detail", request.team.slug, service.public_id)


@require_POST
@team_page(write_role=Role.ADMIN)
def watched_by_hand(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """A person's word that outages of this service are logged by hand, so that silence means up."""
    service, now = _found(request, public_id), clock.now()
    if end_unwatched(service=service, at=now, now=now, by=request.user):
        messages.success(request, "From now on, time without a logged outage counts as up.")
    return redirect("service-detail", request.team.slug, service.public_id)
