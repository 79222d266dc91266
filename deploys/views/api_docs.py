"""The API document, for people: Swagger UI from our own files, under the same content policy as every page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """For anybody: it says nothing about an instance's data."""
    return render(request, "deploys/api_docs.html")
