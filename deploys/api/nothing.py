"""Addresses below /api/v1/ that do not exist: answered as the rest of the API, not with a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from deploys.api.problems import Problem, plain_response


@csrf_exempt
def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    """A problem of type `not-found`."""
    return plain_response(Problem("not-found", "the API has no such address; /api/docs/ lists those it has"))
