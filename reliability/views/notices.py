"""The log of notices: what was told, to whom, and every attempt; who was told of one incident; and the pages that the links
in mails open.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from deploys import clock
from deploys.models import Role, Team
from deploys.queries.pages import BadCursor, page_of
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from incidents.models import Incident
from incidents.queries.incident_detail import incident_numbered
from reliability.actions import acknowledging, channels, notices
from reliability.addresses import incident_url
from reliability.domain.incident_news import What
from reliability.domain.notice_words import words_of
from reliability.domain.weeks import zone_named
from reliability.models import Channel, IncidentNews, OutgoingNotice
from reliability.queries.notices import known_cause, story_of

PAGE_SIZE: Final = 50
STATES: Final = {"sent": "ok", "given_up": "warn", "": "live", "folded": "off", "muted": "off", "dropped": "off"}


class NoticeFilterForm(PlainForm):
    """The filter above the log."""

    outcome = forms.ChoiceField(
        required=False,
        choices=[
            ("", "any outcome"),
            ("waiting", "waiting"),
            *(each for each in OutgoingNotice.Outcome.choices if each[0]),
        ],
    )
    channel = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        field: Any = self.fields["channel"]  # Any: a field knows its own attributes only
        named = Channel.objects.filter(team=team).order_by("name").values_list("public_id", "name", "removed_at")
        field.choices = [
            ("", "any channel"), *((str(key), f"{name} (removed)" if gone else name) for key, name, gone in named),
        ]  # fmt: skip


def _lines(rows: Any) -> list[tuple[OutgoingNotice, str]]:  # Any: rows of notices
    return [(row, STATES[row.outcome]) for row in rows]


@require_safe
@team_page()
def notice_list(request: TeamRequest) -> HttpResponse:
    """Notices, newest first, narrowed by outcome and channel."""
    rows = OutgoingNotice.objects.filter(team=request.team).select_related("channel", "incident").defer("body", "story")
    outcome, channel = request.GET.get("outcome", ""), request.GET.get("channel", "")
    if outcome:
        rows = rows.filter(outcome="" if outcome == "waiting" else outcome)
    if channel:
        try:
            rows = rows.filter(channel__public_id=uuid.UUID(channel))
        except ValueError:
            rows = rows.none()
    try:
        page = page_of(rows, by="occurred_at", query=request.GET, size=PAGE_SIZE)
    except BadCursor as error:
        raise Http404 from error
    context = {
        "form": NoticeFilterForm(request.GET or None, team=request.team), "page": page, "lines": _lines(page.rows),
        "is_narrow": bool(outcome or channel),
    }  # fmt: skip
    return render(request, "reliability/notice_list.html", context)


@require_safe
@team_page()
def notice_detail(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One notice with every attempt, and what was sent, without its secrets."""
    rows = OutgoingNotice.objects.select_related("channel", "incident")
    notice = get_object_or_404(rows, team=request.team, public_id=public_id)
    context = {"notice": notice, "is_": STATES[notice.outcome], "attempts": notice.attempts.order_by("pk")}
    return render(request, "reliability/notice_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@team_page()
def incident_notices(request: TeamRequest, number: int) -> HttpResponse:
    """Who was told of an incident, and whether its notices go on."""
    try:
        incident = incident_numbered(team=request.team, number=number)
    except Incident.DoesNotExist as error:
        raise Http404 from error
    if request.method == "POST":
        match request.POST.get("act", ""):
            case "mute":
                notices.mute_incident(incident=incident, by=request.user, now=clock.now())
                messages.success(request, f"No further notice of {incident.slug} is sent.")
            case "unmute":
                notices.unmute_incident(incident=incident)
                messages.success(request, f"News of {incident.slug} are told again.")
            case _:
                raise Http404
        return redirect("incident-notices", request.team.slug, number)
    rows = OutgoingNotice.objects.filter(incident=incident).select_related("channel").defer("body", "story")
    context = {
        "incident": incident, "lines": _lines(rows.order_by("-occurred_at", "-pk")[:200]), "can_act": request.membership.role != Role.VIEWER,
        "news": IncidentNews.objects.select_related("muted_by").filter(incident=incident).first(),
    }  # fmt: skip
    return render(request, "reliability/incident_notices.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, secret: str) -> HttpResponse:
    """What the link in a mail opens: the incident in two lines, and a button. Only the button changes anything."""
    now = clock.now()
    try:
        link = acknowledging.look_up(secret, now=now)
    except acknowledging.LinkUnusable as problem:
        return render(request, "deploys/link_unusable.html", {"problem": str(problem)}, status=404)
    incident = link.incident
    if request.method == "POST":
        acknowledging.acknowledge(link=link, now=now)
        return redirect("acknowledge", secret)
    words = words_of(What.OPENED, story_of(incident, known_cause(incident), now=now), zone_named(link.user.zone))
    context = {
        "incident": incident,
        "team": incident.team,
        "person": link.user,
        "words": words,
        "url": incident_url(incident.team, incident),
    }
    return render(request, "reliability/acknowledge.html", context)


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def channel_leave(request: HttpRequest, token: str) -> HttpResponse:
    """The way out that stands in every mail of a channel: a question when it is opened, done when it is posted."""
    found = channels.leaver_of(token)
    if found is None:
        return render(request, "reliability/channel_leave.html", {"channel": None}, status=404)
    channel, address = found
    if request.method == "POST":
        channels.leave(channel=channel, address=address, now=clock.now())
    has_left = channel.leavers.filter(address=address).exists()
    return render(
        request, "reliability/channel_leave.html", {"channel": channel, "address": address, "has_left": has_left}
    )
