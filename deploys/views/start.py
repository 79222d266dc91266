"""The way in: where `/` leads, and the first steps of a new team."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods, require_safe

from deploys import clock
from deploys.actions import people
from deploys.actions.catalog import NotThatName, make_service, make_team
from deploys.models import Membership, Role, Service, User
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm, ZoneField, zone_names


class TeamForm(PlainForm):
    """Name and zone of a team."""

    name = forms.CharField(
        label="What is your team or product called?", max_length=100, widget=forms.TextInput({"autofocus": True})
    )
    zone = ZoneField(help_text="Weeks of the report begin on Monday at midnight in this zone.")


class ServiceForm(PlainForm):
    """Name of a service."""

    name = forms.CharField(
        label="Name of the service", max_length=200, widget=forms.TextInput({"autofocus": True}),
        help_text="A thing you deploy by itself, as your CI calls it: checkout, api, web.",
    )  # fmt: skip
    is_critical = forms.BooleanField(label="When it is down, your product is down", required=False, initial=True)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Where everybody arrives: their team's page, the next step of the set-up, or the sign-in."""
    if not request.user.is_authenticated:
        return render(request, "deploys/fresh.html") if people.is_fresh() else redirect("sign-in")
    membership = (
        Membership.objects.select_related("team").filter(user=request.user).order_by("team__name", "id").first()
    )
    if membership is None:
        return redirect("start-team")
    if not Service.objects.filter(team=membership.team).exists() and membership.role == Role.ADMIN:
        return redirect("start-service", membership.team.slug)
    try:
        return redirect(reverse("dashboard", args=[membership.team.slug]))
    except NoReverseMatch:  # an instance without the pages of the upper rooms
        return redirect("account")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start_team(request: HttpRequest) -> HttpResponse:
    """Makes a team; whoever makes it is its admin. Open to the first person, later to admins of another team."""
    user = cast(User, request.user)
    own = Membership.objects.filter(user=user)
    may = own.filter(role=Role.ADMIN).exists() or not Membership.objects.exists()
    form = TeamForm(request.POST or None, initial={"zone": user.zone})
    if request.method == "POST" and may and form.is_valid():
        try:
            team = make_team(
                name=form.cleaned_data["name"], zone=form.cleaned_data["zone"], admin=user, now=clock.now()
            )
        except NotThatName as problem:
            form.add_error("name", str(problem))
        else:
            return redirect("start-service", team.slug)
    return render(
        request,
        "deploys/start_team.html",
        {"form": form, "may": may, "zones": zone_names(), "wide": True},
        status=200 if may else 403,
    )


@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def start_service(request: TeamRequest) -> HttpResponse:
    """Declares a service and leads to its set-up."""
    form = ServiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            service = make_service(
                team=request.team,
                name=form.cleaned_data["name"],
                now=clock.now(),
                actor=request.user,
                critical=form.cleaned_data["is_critical"],
            )
        except NotThatName as problem:
            form.add_error("name", str(problem))
        else:
            return redirect("service-setup", request.team.slug, service.public_id)
    return render(request, "deploys/start_service.html", {"form": form, "team": request.team, "wide": True})
