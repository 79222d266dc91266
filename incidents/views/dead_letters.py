"""Dead letters: what was acknowledged and could not be digested. A list, one of them, and what people decide."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from deploys import clock
from deploys.domain.wording import counted
from deploys.models import Role, Service, Team, User
from deploys.queries.pages import BadCursor, page_of
from deploys.views.access import RANK, TeamRequest, instance_page, team_page
from incidents.actions.dead_letters import decide_dead_letters
from incidents.domain.scrubbing import DEFAULT
from incidents.formats.shown_body import shown_body
from incidents.models import DeadLetter, DeadLetterAct
from incidents.queries.dead_letters import last_acts, letters_of, orphans, services_by_number
from incidents.queries.privacy import scrubbers_of

PAGE_SIZE = 50
MOST_CHOSEN = 1_000
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Place:
    """Whose letters a page is about: a team's, or, without one, those of projects that no service has any more."""

    user: User
    team: Team | None
    letters: QuerySet[DeadLetter]
    services: Mapping[int, Service]
    may_replay: bool
    may_discard: bool

    def url(self, page: str, *arguments: object) -> str:
        """The address of `list`, `detail`, `replay` or `discard` here."""
        if self.team is None:
            return reverse(f"stray-letter-{page}", args=arguments)
        return reverse(f"dead-letter-{page}", args=(self.team.slug, *arguments))

    def service_url(self, service: Service | None) -> str:
        """The ingest page of a service."""
        return reverse("service-ingest", args=[self.team.slug, service.public_id]) if self.team and service else ""


def _of_team(request: TeamRequest) -> Place:
    services = services_by_number(request.team)
    rank = RANK[Role(request.membership.role)]
    return Place(
        user=request.user,
        team=request.team,
        letters=letters_of(services),
        services=services,
        may_replay=rank >= RANK[Role.RESPONDER],
        may_discard=rank >= RANK[Role.ADMIN],
    )


PlaceView = Callable[Concatenate[HttpRequest, Place, P], HttpResponse]


def _for_team(view: PlaceView[P], *, write_role: str = Role.RESPONDER) -> Callable[..., HttpResponse]:
    @team_page(write_role=write_role)
    def page(request: TeamRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, _of_team(request), *args, **kwargs)

    return page


def _for_instance(view: PlaceView[P]) -> Callable[..., HttpResponse]:
    @instance_page
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        place = Place(
            user=cast(User, request.user), team=None, letters=orphans(), services={}, may_replay=True, may_discard=True
        )
        return view(request, place, *args, **kwargs)

    return page


@dataclass(frozen=True, slots=True)
class _Line:
    letter: DeadLetter
    service: Service | None
    url: str


def _narrowed(place: Place, wanted: str) -> tuple[QuerySet[DeadLetter], Service | None]:
    """The letters of the service whose public id is asked for; all for none. A service of nobody here has no letters."""
    if not wanted:
        return place.letters, None
    service = next((each for each in place.services.values() if str(each.public_id) == _uuid(wanted)), None)
    return (place.letters.filter(project=service.number) if service else place.letters.none()), service


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


@require_GET
def _letter_list(request: HttpRequest, place: Place) -> HttpResponse:
    wanted = request.GET.get("service", "")
    letters, service = _narrowed(place, wanted)
    try:
        page = page_of(letters.defer("body"), by="failed_at", query=request.GET, size=PAGE_SIZE)
    except BadCursor as error:
        raise Http404 from error
    total = letters.count()
    newest = letters.order_by("-pk").values_list("pk", flat=True).first()
    context = {
        "place": place,
        "page": page,
        "lines": [_Line(each, place.services.get(each.project), place.url("detail", each.pk)) for each in page.rows],
        "total": total,
        "newest": newest,
        "wanted": wanted,
        "service": service,
        "services": list(place.services.values()) if place.team else [],
        "urls": {name: place.url(name) for name in ("list", "replay", "discard")},
        "acts": last_acts(place.team),
    }
    return render(request, "incidents/dead_letter_list.html", context)


@require_GET
def _letter_detail(request: HttpRequest, place: Place, number: int) -> HttpResponse:
    letter = _found(place, number)
    service = place.services.get(letter.project)
    body = bytes(letter.body)
    scrubber = scrubbers_of([place.team.pk])[place.team.pk] if place.team else DEFAULT
    context = {
        "place": place,
        "letter": letter,
        "service": service,
        "service_url": place.service_url(service),
        "size_bytes": len(body),
        "shown": shown_body(body, kind=letter.kind, coding=letter.encoding, scrubber=scrubber),
        "urls": {name: place.url(name) for name in ("list", "replay", "discard")},
    }
    return render(request, "incidents/dead_letter_detail.html", context)


def _found(place: Place, number: int) -> DeadLetter:
    try:
        return place.letters.get(pk=number)
    except (DeadLetter.DoesNotExist, OverflowError) as error:
        raise Http404 from error


@require_POST
def _letter_decide(request: HttpRequest, place: Place, act: str) -> HttpResponse:
    """Asks first; with `confirmed` does it. The letters: `letter` ids, or with `which=all` what the filter shows.

    All means up to the newest letter that the person saw, so that nothing is thrown away unseen.
    """
    ids = _chosen(request, place)
    if not ids:
        messages.error(request, "No letter was chosen, or somebody else has just decided.")
        return redirect(place.url("list"))
    if request.POST.get("confirmed") != "1":
        is_all = request.POST.get("which") == "all"
        context: dict[str, Any] = {
            "place": place, "act": act, "total": len(ids), "ids": () if is_all else ids, "is_all": is_all,
            "newest": request.POST.get("newest", ""), "wanted": request.POST.get("service", ""),
            "service": _narrowed(place, request.POST.get("service", ""))[1],
            "urls": {"list": place.url("list"), "act": place.url(act)},
        }  # fmt: skip
        return render(request, "incidents/dead_letter_decide.html", context)
    done = decide_dead_letters(act=act, ids=ids, team=place.team, by=place.user, now=clock.now())
    letters = counted(done, "letter")
    if act == DeadLetterAct.Act.REPLAY:
        said = f"{letters} put back into the inbox. What still cannot be digested comes back here within seconds."
    else:
        said = f"{letters} discarded for good."
    messages.success(request, said)
    return redirect(place.url("list"))


def _chosen(request: HttpRequest, place: Place) -> list[int]:
    letters, _ = _narrowed(place, request.POST.get("service", ""))
    if request.POST.get("which") == "all":
        newest = _number(request.POST.get("newest", ""))
        return list(letters.filter(pk__lte=newest).order_by("pk").values_list("pk", flat=True)) if newest else []
    asked = [number for text in request.POST.getlist("letter")[:MOST_CHOSEN] if (number := _number(text))]
    return list(letters.filter(pk__in=asked).order_by("pk").values_list("pk", flat=True))


def _number(text: str) -> int:
    """A row's number, 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _replay(request: HttpRequest, place: Place) -> HttpResponse:
    return _letter_decide(request, place, DeadLetterAct.Act.REPLAY.value)


def _discard(request: HttpRequest, place: Place) -> HttpResponse:
    return _letter_decide(request, place, DeadLetterAct.Act.DISCARD.value)


dead_letter_list, stray_letter_list = _for_team(_letter_list), _for_instance(_letter_list)
dead_letter_detail, stray_letter_detail = _for_team(_letter_detail), _for_instance(_letter_detail)
dead_letter_replay, stray_letter_replay = _for_team(_replay), _for_instance(_replay)
dead_letter_discard, stray_letter_discard = _for_team(_discard, write_role=Role.ADMIN), _for_instance(_discard)
