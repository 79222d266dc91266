"""`/ping/…`: where jobs say that they began and ended. Anybody who knows the address may; it is the secret."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from deploys import clock
from incidents.actions import pings
from incidents.formats.pings import NotAPing, read_artifact, read_ping
from incidents.formats.strict_json import InvalidJson, loads_object
from incidents.models import Job

METHODS = ["GET", "HEAD", "POST"]
LONGEST_BODY = 10_000


def _plain(text: str, status: int = 200) -> HttpResponse:
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@csrf_exempt  # jobs post here by themselves; the address is the secret
@require_http_methods(METHODS)
def ping(request: HttpRequest, public_id: uuid.UUID, what: str = "") -> HttpResponse:
    """A ping of the job with this id."""
    try:
        job = Job.objects.select_related("service__team", "environment").get(
            public_id=public_id, service__retired_at__isnull=True
        )
    except Job.DoesNotExist:
        return _plain("not found", 404)
    return _take(request, job, what)


@csrf_exempt  # as above
@require_http_methods(METHODS)
def ping_by_name(request: HttpRequest, key: str, slug: str, what: str = "") -> HttpResponse:
    """A ping of the job that a service's key and its name lead to; with `create=1` it is made."""
    service = pings.service_of_key(key)
    if service is None:
        return _plain("not found", 404)
    try:
        read_ping(what, request.GET.get("rid", ""))
        job, is_new = pings.job_called(
            service=service, slug=slug, now=clock.now(), can_create=request.GET.get("create") == "1"
        )
    except NotAPing as refused:
        return _plain(str(refused), 404 if str(refused) == "not found" else 400)
    except Job.DoesNotExist:
        return _plain("not found", 404)
    except Job.MultipleObjectsReturned:
        return _plain("ambiguous slug", 409)
    except pings.JobRefused as refused:
        return _plain(str(refused), 403)
    return _take(request, job, what, created=is_new)


def _take(request: HttpRequest, job: Job, what: str, *, created: bool = False) -> HttpResponse:
    try:
        said = read_ping(what, request.GET.get("rid", ""))
    except NotAPing as refused:
        return _plain(str(refused), 404 if str(refused) == "not found" else 400)
    pings.take_ping(job=job, ping=said, now=clock.now(), artifact=_artifact(request))
    return _plain("Created", 201) if created else _plain("OK")


def _artifact(request: HttpRequest) -> dict[str, Any]:  # Any: JSON
    """What a backup tells in the query or in a JSON body; other bodies are the job's own output, which is not kept."""
    told: dict[str, Any] = dict(request.GET.items())  # Any: JSON
    length = request.headers.get("Content-Length", "")
    if "json" in (request.content_type or "") and length.isdecimal() and int(length) <= LONGEST_BODY:
        with suppress(InvalidJson):
            told |= loads_object(request.read(LONGEST_BODY))
    return read_artifact(told)
