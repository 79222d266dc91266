"""The set-up of a service: what to copy, and whether it was heard."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from deploys import clock
from deploys.actions.tokens import create_token
from deploys.models import Role, Scope, Service
from deploys.queries.addresses import deploys_url, dsn_of
from deploys.queries.setup import heard_from
from deploys.views.access import TeamRequest, team_page
from deploys.views.recipes import RECIPES

Parts = list[tuple[str, bool]]


def python_snippet(dsn: str) -> Parts:
    """What a Python application needs, the secret part marked."""
    return [('import os\nimport sentry_sdk\n\nsentry_sdk.init(\n    dsn="', False), (dsn, True),
            ('",\n    release=os.environ.get("RELEASE"),\n    environment="production",\n)', False)]  # fmt: skip


def node_snippet(dsn: str) -> Parts:
    """What a Node application needs."""
    return [('const Sentry = require("@sentry/node");\n\nSentry.init({\n  dsn: "', False), (dsn, True),
            ('",\n  release: process.env.RELEASE,\n  environment: "production",\n});', False)]  # fmt: skip


def curl_snippet(service: str, token: str = "") -> Parts:
    """The line at the end of a CI job; with a token, ready to run."""
    return [('curl -m 5 -H "Authorization: Bearer ', False), (token or "$UPSHOT_TOKEN", True),
            (f'" \\\n  {deploys_url()} \\\n  -d id=$CI_RUN_ID -d service={_quoted(service)} -d release=$RELEASE -d status=success || true', False)]  # fmt: skip


def _quoted(name: str) -> str:
    """The name as one word of a shell."""
    return (
        name
        if name.replace("-", "").replace("_", "").replace(".", "").isalnum() and name.isascii()
        else "'" + name.replace("'", "'\\''") + "'"
    )


def _waits(request: TeamRequest, service: Service) -> dict[str, dict[str, Any]]:
    """Both ticks: what is awaited, what was heard, where to ask again."""
    heard = heard_from(service)
    signs: dict[str, tuple[datetime | None, str]] = {
        "event": (heard.event_at, ""),
        "deploy": (heard.deploy_at, f"{service.name} {heard.deploy_release}".strip() if heard.deploy_at else ""),
    }
    return {
        what: {
            "id": f"heard-{what}", "what": f"the first {what}", "heard_at": at, "heard": words, "began_at": service.created_at,
            "poll_url": reverse("service-heard", args=[request.team.slug, service.public_id, what]),
        }
        for what, (at, words) in signs.items()
    }  # fmt: skip


def _page(request: TeamRequest, service: Service, token: str = "") -> HttpResponse:
    dsn = dsn_of(service)
    is_admin = request.membership.role == Role.ADMIN
    context = {
        "service": service, "dsn": dsn, "waits": _waits(request, service), "base_url": settings.BASE_URL, "token": token,
        "python": python_snippet(dsn), "node": node_snippet(dsn), "curl": curl_snippet(service.name, token),
        "recipes": RECIPES,
        "token_url": reverse("service-token", args=[request.team.slug, service.public_id]) if is_admin else "",
    }  # fmt: skip
    is_part = bool(token) and request.headers.get("HX-Request") == "true"
    return render(request, "deploys/_setup_curl.html" if is_part else "deploys/setup.html", context)


@team_page(role=Role.RESPONDER)
@require_safe
def setup(request: TeamRequest, service_id: uuid.UUID) -> HttpResponse:
    """Snippets with real values and two live ticks."""
    return _page(request, get_object_or_404(Service, team=request.team, public_id=service_id))


@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
@require_POST
def make_token(request: TeamRequest, service_id: uuid.UUID) -> HttpResponse:
    """Makes a token and shows it in the line to copy, this once."""
    service = get_object_or_404(Service, team=request.team, public_id=service_id)
    scopes = [Scope.DEPLOYS_WRITE, Scope.RELEASES_WRITE, Scope.SERVICES_WRITE]
    _, secret = create_token(
        team=request.team, name=f"CI of {service.name}", scopes=scopes, now=clock.now(), by=request.user
    )
    return _page(request, service, secret)


@team_page(role=Role.RESPONDER)
@require_safe
def heard(request: TeamRequest, service_id: uuid.UUID, what: str) -> HttpResponse:
    """One tick, asked for every two seconds."""
    service = get_object_or_404(Service, team=request.team, public_id=service_id)
    waits = _waits(request, service)
    if what not in waits:
        raise Http404
    return render(request, "ui/waiting.html", waits[what])
