"""Planned work: what is announced, what was, and announcing it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from deploys import clock
from deploys.domain.wording import duration
from deploys.models import Policy, Role, Service, Team
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from incidents.actions import planned_work
from incidents.models import Maintenance
from incidents.views.forms import InstantField, ServicesField, to_second
from incidents.views.incidents import BAD_INPUT, can_write

SHOWN = 50
ACTS = {
    "call-off": (planned_work.call_off, "Called off. It excuses nothing."),
    "excuse": (planned_work.excuse, "Excused in your name."),
    "withdraw": (planned_work.withdraw_excuse, "No longer excused."),
}


class SlotForm(PlainForm):
    """Announcing planned work."""

    title = forms.CharField(label="What is done?", max_length=300)
    starts_at = InstantField(label="From")
    ends_at = InstantField(label="To")
    services = ServicesField(label="Services", required=False, help_text="None chosen: all of them.")

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        services: Any = self.fields["services"]  # Any: a field knows its own attributes only
        services.queryset = Service.objects.filter(team=team, retired_at=None).order_by("name")
        self.fields["starts_at"].help_text = f"Times in {timezone.get_current_timezone_name()}."


@require_http_methods(["GET", "POST"])
@team_page()
def maintenance_list(request: TeamRequest) -> HttpResponse:
    """Slots, latest first, and the form for another one."""
    form = SlotForm(request.POST or None, team=request.team, initial=_extended(request))
    now = clock.now()
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            slot = planned_work.announce(
                team=request.team, title=data["title"], starts_at=data["starts_at"], ends_at=data["ends_at"],
                services=list(data["services"]), by=request.user, now=now,
            )  # fmt: skip
        except planned_work.SlotRefused as refused:
            form.add_error(refused.field, str(refused))
        else:
            told = counts_words(slot, notice(request.team))
            messages.success(request, f"Announced. {told}")
            return redirect("maintenance-list", request.team.slug)
    slots = Maintenance.objects.filter(team=request.team).prefetch_related("services").order_by("-starts_at", "-pk")
    needed = notice(request.team)
    context = {
        "form": form,
        "rows": [(slot, standing(slot, now), counts_words(slot, needed)) for slot in slots[:SHOWN]],
        "needed": duration(needed),
        "can_write": can_write(request),
        "now": now,
    }
    return render(request, "incidents/maintenance.html", context, status=BAD_INPUT if form.errors else 200)


def _extended(request: TeamRequest) -> dict[str, Any]:  # Any: initial values
    """The slot after the one named by `?extend=`: the same work, from where that ends."""
    try:
        public_id = uuid.UUID(request.GET.get("extend", ""))
    except ValueError:
        return {}
    slot = Maintenance.objects.filter(team=request.team, public_id=public_id).prefetch_related("services").first()
    if slot is None:
        return {}
    services = [] if slot.is_for_all_services else [service.pk for service in slot.services.all()]
    starts_at = to_second(slot.ends_at)
    return {"title": slot.title, "starts_at": starts_at, "services": services}


def notice(team: Team) -> dt.timedelta:
    """How long ahead work must be announced to leave the headline."""
    seconds = Policy.objects.filter(team=team).values_list("maintenance_notice_seconds", flat=True).first()
    return dt.timedelta(seconds=86_400 if seconds is None else seconds)


def standing(slot: Maintenance, now: dt.datetime) -> str:
    """Where it stands: called off, ahead, under way or over."""
    if slot.is_cancelled:
        return "called off"
    if now < slot.starts_at:
        return "ahead"
    return "under way" if now < slot.ends_at else "over"


def counts_words(slot: Maintenance, needed: dt.timedelta) -> str:
    """What it does to uptime."""
    if slot.is_cancelled:
        return "It excuses nothing."
    if slot.announced_at is not None and slot.starts_at - slot.announced_at >= needed:
        return "Announced in time: it is left out of uptime."
    if slot.excused_by:
        return f"Excused later by {slot.excused_by}: left out of the second figure only."
    return "Announced too late: it excuses nothing unless somebody excuses it."


@require_POST
@team_page(write_role=Role.RESPONDER)
def maintenance_act(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """A word about one slot: `act` is call-off, excuse or withdraw."""
    slot = Maintenance.objects.select_related("team").filter(team=request.team, public_id=public_id).first()
    if slot is None or request.POST.get("act") not in ACTS:
        raise Http404
    action, words = ACTS[request.POST["act"]]
    try:
        action(slot=slot, by=request.user, now=clock.now())
    except planned_work.SlotRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, words)
    return redirect("maintenance-list", request.team.slug)
