"""For load balancers and people on call: alive, and ready."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from deploys import clock
from reliability.queries.health import findings


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches no database."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Everything needed answers: 200, else 503 with what is wrong. Says nothing of any team."""
    found = findings(now=clock.now())
    body = {each.name: {"ok": each.ok, "seen": each.seen} for each in found}
    return JsonResponse(body, status=200 if all(each.ok for each in found) else 503)
