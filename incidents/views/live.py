"""The page of an open incident, as it goes on: asked again and again, answered only when there is news."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_GET

from deploys import clock
from deploys.views.access import TeamRequest, team_page
from incidents.queries.incident_version import incident_version
from incidents.views.incidents import detail_context, found, head_context

NO_NEWS = 204
SECONDS = 15


@require_GET
@team_page()
def incident_live(request: TeamRequest, number: int) -> HttpResponse:
    """What is new since the version in `seen` (or in If-None-Match): nothing, the time that has passed, or the page."""
    incident = found(request, number)
    version, minute = incident_version(incident), str(int(clock.now().timestamp() // 60))
    etag = f'"{version}.{minute}"'
    if get_conditional_response(request, etag=etag) is not None:
        return HttpResponse(status=304, headers={"ETag": etag})
    seen, _, seen_minute = request.GET.get("seen", "").partition(".")
    if (seen, seen_minute) == (version, minute):
        answer = HttpResponse(status=NO_NEWS)
    elif seen == version:
        answer = render(request, "incidents/live_head.html", head_context(request, incident))
    else:
        answer = render(
            request, "incidents/detail.html", detail_context(request, incident, tab=request.GET.get("show", ""))
        )
    answer.headers["ETag"] = etag
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer
