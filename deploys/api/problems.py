"""Errors as RFC 9457 problems. Every type has a page in docs/problems/, served at /problems/<slug>."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from deploys.domain.problem_types import PROBLEMS

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"


class Problem(Exception):
    """Raised anywhere below a view to answer a problem. `errors` are {pointer, detail} per value at fault."""

    def __init__(
        self, slug: str, detail: str, *, errors: Sequence[Mapping[str, str]] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.type = PROBLEMS[slug]
        self.detail = detail
        self.errors = list(errors)
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, Any]:  # Any: JSON
        """The problem details object."""
        said: dict[str, Any] = {
            "type": f"{settings.BASE_URL}/problems/{self.type.slug}",
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
        }
        return {**said, "errors": self.errors} if self.errors else said

    @property
    def headers(self) -> dict[str, str]:
        """Headers the status asks for."""
        if self.retry_after is not None:
            return {"Retry-After": str(self.retry_after)}
        match self.type.status:
            case 401:
                return {"WWW-Authenticate": 'Bearer realm="upshot"'}
            case 503:
                return {"Retry-After": "5"}
        return {}


def plain_response(problem: Problem) -> HttpResponse:
    """The problem as a plain Django response, for views outside the REST framework."""
    return JsonResponse(problem.body, status=problem.type.status, content_type=CONTENT_TYPE, headers=problem.headers)


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response | None:  # Any: as the framework has it
    """The REST framework's exception hook. None lets unknown errors through to Django's 500."""
    problem = problem_of(error)
    if problem is None:
        return None
    headers = dict(problem.headers)
    if isinstance(error, exceptions.MethodNotAllowed) and (view := context.get("view")) is not None:
        headers["Allow"] = ", ".join(view.allowed_methods)
    return Response(problem.body, status=problem.type.status, headers=headers, content_type=CONTENT_TYPE)


def problem_of(error: Exception) -> Problem | None:  # noqa: PLR0911, C901 -- one line per kind of error
    """The problem that an error of the framework stands for; None for errors that are bugs."""
    match error:
        case Problem():
            return error
        case exceptions.ValidationError():
            errors = list(_errors_of(error.detail))
            return Problem("invalid-message", "; ".join(_sentence(each) for each in errors[:5]), errors=errors)
        case exceptions.ParseError():
            return Problem("malformed-body", str(error.detail))
        case exceptions.UnsupportedMediaType():
            return Problem("unsupported-media-type", "expected application/json or application/x-www-form-urlencoded")
        case exceptions.NotAcceptable():
            return Problem("not-acceptable", "ask for application/json")
        case exceptions.NotAuthenticated():
            return Problem("not-authenticated", "send the header Authorization: Bearer <token>")
        case exceptions.AuthenticationFailed():
            return Problem("token-refused", str(error.detail))
        case exceptions.PermissionDenied() | PermissionDenied():
            return Problem("missing-scope", str(getattr(error, "detail", error)))
        case exceptions.NotFound() | Http404():
            return Problem("not-found", "nothing of yours has this address")
        case exceptions.MethodNotAllowed():
            return Problem("method-not-allowed", str(error.detail))
        case OperationalError() | InterfaceError():
            return Problem("busy", "try again in a few seconds")
        case RequestDataTooBig():
            return Problem("body-too-large", "send less")
    return None


def _sentence(error: Mapping[str, str]) -> str:
    name = error["pointer"].removeprefix("#/").replace("/", ".")
    return f"{name}: {error['detail']}" if name else error["detail"]


def _errors_of(detail: object, pointer: str = "#") -> Any:  # Any: a generator of mappings
    """Every message of a serializer's nested errors, with a JSON pointer (RFC 6901) to the value."""
    if isinstance(detail, Mapping):
        for key, each in detail.items():
            part = str(key).replace("~", "~0").replace("/", "~1")
            yield from _errors_of(each, pointer if key == "non_field_errors" else f"{pointer}/{part}")
    elif isinstance(detail, list | tuple):
        for each in detail:
            yield from _errors_of(each, pointer)
    else:
        yield {"pointer": pointer, "detail": str(detail)}
