"""Who may see a page. Every team page starts here, so that isolation is one decision in one place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from deploys.models import Membership, Role, Team, User

P = ParamSpec("P")

RANK = {Role.VIEWER: 0, Role.RESPONDER: 1, Role.ADMIN: 2}


class TeamRequest(HttpRequest):
    """A request of a signed-in member of `team`."""

    user: User
    team: Team
    membership: Membership


def is_at_least(request: HttpRequest, role: Role) -> bool:
    """Whether whoever asks is a member of the page's team with this role or more; false outside of team pages."""
    membership: Membership | None = getattr(request, "membership", None)
    return membership is not None and RANK[Role(membership.role)] >= RANK[role]


TeamView = Callable[Concatenate[TeamRequest, P], HttpResponse]
PlainView = Callable[Concatenate[HttpRequest, str, P], HttpResponse]


def team_page(*, role: str = Role.VIEWER, write_role: str = Role.RESPONDER) -> Callable[[TeamView[P]], PlainView[P]]:
    """A page under /t/<team_slug>/: members only, from `role` up; requests that change something, from `write_role` up.

    Strangers get 404, so that a team's existence is no secret to be found out; members of too low a role get 403.
    One query.
    """

    def decorate(view: TeamView[P]) -> PlainView[P]:
        @functools.wraps(view)
        def page(request: HttpRequest, team_slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            membership = (
                Membership.objects.select_related("team").filter(team__slug=team_slug, user=request.user).first()
            )
            if membership is None:
                raise Http404
            needed = (
                role if request.method in {"GET", "HEAD"} else max(role, write_role, key=lambda each: RANK[Role(each)])
            )
            if RANK[Role(membership.role)] < RANK[Role(needed)]:
                raise PermissionDenied(f"this needs the role {Role(needed).label}")
            request.team, request.membership = membership.team, membership  # type: ignore[attr-defined]  # becomes a TeamRequest
            return view(request, *args, **kwargs)  # type: ignore[arg-type]  # is a TeamRequest from here on

        return page  # type: ignore[return-value]  # Django passes both by keyword or by place

    return decorate


def instance_page(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for administrators of the instance (`is_superuser`); for anybody else signed in there is no such page."""

    @functools.wraps(view)
    def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not request.user.is_superuser:
            raise Http404
        return view(request, *args, **kwargs)

    return page
