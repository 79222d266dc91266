"""The frame around every page: places, team, zone, theme. Used by `templates/base.html`.

A place appears only when its page exists, so no link is dead. To add a page to the rail, give its URL the name below,
with the one argument `team_slug`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from deploys.models import Membership, Role, Team
from incidents.models import Incident
from incidents.queries.storage import disk_alarm

#: URL name of the page, words in the rail, and the URL names that belong to the place besides those that start alike.
PLACES = (
    ("dashboard", "Now"),
    ("incident-list", "Incidents"),
    ("issue-list", "Issues"),
    ("deploy-list", "Deploys"),
    ("service-list", "Services"),
    ("flag-list", "Flags"),
    ("objective-list", "Objectives"),
    ("report-list", "Reports"),
    ("delivery-list", "Deliveries"),
    ("team-settings", "Settings"),
)
THEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the rail. `count` stands beside it; `narrow_only` shows it in the top bar alone."""

    name: str
    url: str
    is_current: bool
    count: str = ""
    count_class: str = ""
    narrow_only: bool = False


@dataclass(frozen=True, slots=True)
class OtherTeam:
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Shell:
    """What the frame shows."""

    home: str
    team: Team | None
    other_teams: list[OtherTeam]
    places: list[Place]
    zone: str
    account_url: str
    search_url: str
    declare_url: str = ""
    alarm: str = ""


def theme_of(request: HttpRequest) -> str:
    """The theme chosen on the account page: light, dark, or system."""
    chosen = request.COOKIES.get("theme", "system")
    return chosen if chosen in THEMES else "system"


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Lazy: a page that does not show the frame costs nothing; one that does, two queries."""
    return {"theme": theme_of(request), "shell": SimpleLazyObject(lambda: _shell(request))}


def _url(name: str, *args: str) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _shell(request: HttpRequest) -> Shell:
    team, others, is_writer = _teams(request)
    slug = team.slug if team else ""
    home = _url("dashboard", slug) if team else "/"
    return Shell(
        home=home or "/",
        team=team,
        other_teams=[OtherTeam(other.name, _url("dashboard", other.slug) or "/") for other in others],
        places=_places(request, team, is_writer=is_writer) if team else [],
        zone=timezone.get_current_timezone_name(),
        account_url=_url("account"),
        search_url=_url("find", slug) if team else "",
        declare_url=_url("incident-declare", slug) if team and is_writer else "",
        alarm=disk_alarm() if team else "",
    )


def _teams(request: HttpRequest) -> tuple[Team | None, list[Team], bool]:
    """The team of this page (or the first of the person's), the person's others, and whether they may write here.

    One query.
    """
    if not request.user.is_authenticated:
        return None, [], False
    memberships = Membership.objects.filter(user=request.user).select_related("team").order_by("team__name", "id")
    teams = [membership.team for membership in memberships]
    here: Team | None = getattr(request, "team", None) or (teams[0] if teams else None)
    is_writer = any(each.team == here and each.role != Role.VIEWER for each in memberships)
    return here, [team for team in teams if team != here], is_writer


def _places(request: HttpRequest, team: Team, *, is_writer: bool) -> list[Place]:
    open_incidents = Incident.objects.filter(
        team=team, restored_at__isnull=True, is_dismissed=False, duplicate_of__isnull=True
    ).values_list("impact_class", flat=True)[:100]
    classes = list(open_incidents)
    urls = [(name, words, _url(name, team.slug)) for name, words in PLACES]
    existing = [(name, words, url) for name, words, url in urls if url]
    # the longest address that the present one begins with is the place we are in; all begin with the dashboard's
    inside = [
        url
        for name, _, url in existing
        if request.path == url or (name != "dashboard" and request.path.startswith(url))
    ]
    current = max(inside, key=len) if inside else ""
    places = []
    for name, words, url in existing:
        count = f"{len(classes)} open" if name == "incident-list" and classes else ""
        worst = "downtime" if count and "downtime" in classes else ""
        places.append(Place(words, url, url == current, count, worst))
    if is_writer and (declare := _url("incident-declare", team.slug)):
        places.append(Place("Declare", declare, request.path == declare, narrow_only=True))
    if account := _url("account"):
        places.append(Place("Account", account, request.path.startswith(account), narrow_only=True))
    return places
