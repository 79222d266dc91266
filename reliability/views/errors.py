"""The answer to what went wrong below a view: 503 with a hint when to try again, where only the database is away or busy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

from deploys.api.problems import Problem, plain_response

_MACHINES: Final = ("/api/", "/webhooks/")


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Reads no table: the database may be what is broken."""
    is_away = any(isinstance(error, OperationalError | InterfaceError) for error in _chain(sys.exc_info()[1]))
    if request.path.startswith(_MACHINES):
        if is_away:
            return plain_response(Problem("busy", "try again in a few seconds"))
        return plain_response(Problem("server-error", "this is a fault of Upshot, and it is in its log"))
    if is_away:
        page = loader.get_template("503.html").render({"path": request.path if request.method == "GET" else ""})
        return HttpResponse(page, status=503, headers={"Retry-After": "5"})
    return HttpResponse(loader.get_template("500.html").render(), status=500)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
