"""A team's own facts, its members and invitations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.actions import links, people
from deploys.actions import team as team_actions
from deploys.actions.catalog import NotThatName
from deploys.models import Membership, OneTimeLink, Role
from deploys.views.access import TeamRequest, team_page
from deploys.views.acts import Acts, is_admin, number_of, perform, public_id_of
from deploys.views.forms import PlainForm, ZoneField, zone_names


class TeamForm(PlainForm):
    """The team itself."""

    name = forms.CharField(label="Name", max_length=100)
    zone = ZoneField(
        label="Time zone of reports",
        help_text="Weeks begin on Monday at midnight here. Closed reports keep their zone.",
    )
    auto_open = forms.BooleanField(label="Open incidents from errors and monitors by itself", required=False)
    event_days = forms.IntegerField(
        label="Days to keep error reports", required=False, min_value=1, max_value=3650,
        help_text="Counts are kept for ever, and so are reports that stand for an incident.",
    )  # fmt: skip


class InviteForm(PlainForm):
    """Whom to invite."""

    role = forms.ChoiceField(label="As", choices=Role.choices, initial=Role.RESPONDER)
    email = forms.EmailField(label="Only for this address", required=False, max_length=254)


def _team_page(request: TeamRequest, *, status: int = 200, **more: Any) -> HttpResponse:  # Any: the context
    team, now = request.team, clock.now()
    initial = {
        "name": team.name,
        "zone": team.zone,
        "auto_open": team.auto_open,
        "event_days": team.event_days,
    }
    invitations = OneTimeLink.objects.filter(
        team=team, purpose=OneTimeLink.Purpose.INVITATION, used_at__isnull=True, expires_at__gt=now
    )
    context = {
        "tab": "team", "is_admin": is_admin(request), "team_form": TeamForm(initial=initial), "invite_form": InviteForm(), "zones": zone_names(),
        "members": Membership.objects.filter(team=team).select_related("user").order_by("user__email"), "roles": Role.choices,
        "invitations": invitations.select_related("created_by").order_by("-created_at"), **more,
    }  # fmt: skip
    return render(request, "deploys/settings_team.html", context, status=status)


def _save_team(request: TeamRequest) -> HttpResponse | None:
    form = TeamForm(request.POST)
    if not form.is_valid():
        return _team_page(request, status=422, team_form=form)
    given = form.cleaned_data
    try:
        team_actions.change_team(
            team=request.team,
            name=given["name"],
            zone=given["zone"],
            auto_open=given["auto_open"],
            event_days=given["event_days"] or request.team.event_days,
        )
    except NotThatName as problem:
        form.add_error("name", str(problem))
        return _team_page(request, status=422, team_form=form)
    messages.success(request, "The team is changed.")
    return None


def _invite(request: TeamRequest) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _team_page(request, status=422, invite_form=form)
    path = links.make_invitation(
        team=request.team,
        role=form.cleaned_data["role"],
        by=request.user,
        now=clock.now(),
        email=form.cleaned_data["email"] or None,
    )
    return _team_page(
        request, invitation_url=settings.BASE_URL + path, invitation_role=Role(form.cleaned_data["role"]).label
    )


def _change_role(request: TeamRequest) -> None:
    role = request.POST.get("role", "")
    if role not in Role.values:
        raise Http404
    changed = people.change_role(team=request.team, membership_id=number_of(request, "membership"), role=role)
    messages.success(request, f"{changed.user.email} is {Role(role).label} now.")


def _remove_member(request: TeamRequest) -> None:
    gone = people.remove_member(team=request.team, membership_id=number_of(request, "membership"))
    messages.success(request, f"{gone.user.email} is not in the team any more.")


def _withdraw(request: TeamRequest) -> None:
    found = get_object_or_404(
        OneTimeLink,
        team=request.team,
        purpose=OneTimeLink.Purpose.INVITATION,
        public_id=public_id_of(request, "invitation"),
    )
    people.withdraw_invitation(team=request.team, public_id=str(found.public_id), now=clock.now())
    messages.success(request, "The invitation is withdrawn.")


@team_page(write_role=Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def team_settings(request: TeamRequest) -> HttpResponse:
    """Members, invitations, the team's own facts. Everybody may look; admins change."""
    if request.method == "POST":
        acts: Acts = {
            "save": _save_team,
            "invite": _invite,
            "role": _change_role,
            "remove": _remove_member,
            "withdraw": _withdraw,
        }
        return perform(request, acts, "team-settings")
    return _team_page(request)
