"""POST and GET /api/v1/deploys."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from deploys import clock
from deploys.actions.deploys import Incoming, UnknownEnvironment, UnknownService, Verdict
from deploys.actions.posts import Post, post_deploy
from deploys.api.authentication import caller_of
from deploys.api.parsers import CommitsJSONParser, FormFields, FormFieldsParser, as_mapping
from deploys.api.problems import Problem
from deploys.api.serializers import DeployAnswer, DeployList, DeployMessage, DeployWritten, LiveAnswer, ProblemAnswer
from deploys.api.writes import DeliveryView, ScopedView, unknown_keys
from deploys.models import Scope
from deploys.queries.changes import DeployFilter, deploys_of
from deploys.queries.live import live_version
from deploys.queries.pages import BadCursor, page_of

API = "api"
PAGE_SIZE = 50
PROBLEMS = {(status, "application/problem+json"): ProblemAnswer for status in (400, 401, 403, 413, 415, 422, 429)}
READ_PROBLEMS = {(status, "application/problem+json"): ProblemAnswer for status in (400, 401, 403, 404, 422, 429)}


def unknown_name(error: UnknownService | UnknownEnvironment) -> Problem:
    """The problem of a name that does not exist, for a token that may not make one."""
    what = "service" if isinstance(error, UnknownService) else "environment"
    return Problem(
        f"unknown-{what}",
        f"no {what} {str(error)!r} here: create it first, or use a token with the scope services:write",
        errors=[{"pointer": f"#/{what}", "detail": "does not exist"}],
    )


class DeploysView(DeliveryView):
    """Deploys of the token's team."""

    event = "deploy"
    parser_classes = [CommitsJSONParser, FormFieldsParser]
    scopes: ClassVar[dict[str, str]] = {"POST": Scope.DEPLOYS_WRITE, "GET": Scope.DEPLOYS_READ}

    @extend_schema(
        operation_id="record_deploy",
        tags=["deploys"],
        request={"application/json": DeployMessage, "application/x-www-form-urlencoded": DeployMessage},
        responses={200: DeployWritten, 201: DeployWritten, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Report a deploy: its start, a step, or its end. The same message twice changes nothing."""
        caller, received_at = caller_of(request), clock.now()
        data = as_mapping(request.data)
        message = DeployMessage(data=data, context={"is_form": isinstance(data, FormFields)})
        message.is_valid(raise_exception=True)
        warnings = unknown_keys(data, message.fields)
        delivery_id = message.validated_data.get("delivery_id")
        said = Incoming(
            report=message.report(), source=API, received_at=received_at, delivery_id=delivery_id,
            can_create=caller.may(Scope.SERVICES_WRITE), commits=message.commits_said,
            head_sha=message.validated_data.get("commit", ""),
        )  # fmt: skip
        line = self.line(request, caller, received_at=received_at, delivery_id=delivery_id, warnings=warnings)
        try:
            recorded = post_deploy(Post(caller.team, said, line))
        except (UnknownService, UnknownEnvironment) as error:
            raise unknown_name(error) from error
        body = {**DeployAnswer(recorded.deploy).data, "warnings": warnings}
        status = 201 if recorded.verdict is Verdict.CREATED else 200
        return Response(body, status=status, headers={"Upshot-Verdict": str(recorded.verdict)})

    @extend_schema(
        operation_id="list_deploys",
        tags=["deploys"],
        parameters=[
            OpenApiParameter("service", str, description="Name of a service."),
            OpenApiParameter("environment", str, description="Name of an environment, in any case."),
            OpenApiParameter("kind", str, description="forward, rollback, redeploy or hotfix."),
            OpenApiParameter("outcome", str, description="succeeded, failed, aborted, running or never_finished."),
            OpenApiParameter("release", str, description="Name of a version."),
            OpenApiParameter("from", str, description="Started at or after this time."),
            OpenApiParameter("to", str, description="Started before this time."),
            OpenApiParameter("cursor", str, description="From `next` or `previous` of another page."),
        ],
        responses={200: DeployList, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """List deploys, newest first, 50 to a page."""
        caller, query = caller_of(request), request.query_params
        wanted = DeployFilter.of(query)
        if wanted.errors:
            raise Problem(
                "invalid-message",
                "; ".join(f"{name}: {said}" for name, said in wanted.errors.items()),
                errors=[{"pointer": f"#/{name}", "detail": said} for name, said in wanted.errors.items()],
            )
        try:
            page = page_of(
                deploys_of(caller.team, wanted, now=clock.now()), by="started_at", query=query, size=PAGE_SIZE
            )
        except BadCursor as error:
            raise Problem("invalid-cursor", "take `next` or `previous` of an answer as it is") from error
        for deploy in page.rows:
            deploy.team = caller.team
        address = f"{settings.BASE_URL}{request.path}?"
        return Response(
            {
                "next": address + page.older if page.older else None,
                "previous": address + page.newer if page.newer else None,
                "results": [DeployAnswer(deploy).data for deploy in page.rows],
            }
        )


class LiveView(ScopedView):
    """What is live, for a CI job that wants to know which commits are new."""

    scopes: ClassVar[dict[str, str]] = {"GET": Scope.DEPLOYS_WRITE}

    @extend_schema(
        operation_id="read_live",
        tags=["deploys"],
        parameters=[
            OpenApiParameter("service", str, required=True, description="Name of a service."),
            OpenApiParameter(
                "environment", str, description="Name of an environment, in any case. Default: production."
            ),
        ],
        responses={200: LiveAnswer, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Read what version of a service is live in an environment."""
        caller, query = caller_of(request), request.query_params
        service, environment = query.get("service", ""), query.get("environment", "") or "production"
        if not service:
            raise Problem(
                "invalid-message",
                "service: expected a name",
                errors=[{"pointer": "#/service", "detail": "expected a name"}],
            )
        live = live_version(caller.team, service=service, environment=environment)
        return Response(LiveAnswer({"service": service, "environment": environment, **asdict(live)}).data)


class DeployView(ScopedView):
    """One deploy of the token's team."""

    scopes: ClassVar[dict[str, str]] = {"GET": Scope.DEPLOYS_READ}

    @extend_schema(operation_id="read_deploy", tags=["deploys"], responses={200: DeployAnswer, **READ_PROBLEMS})
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Read one deploy by its public id."""
        caller = caller_of(request)
        deploy = deploys_of(caller.team, DeployFilter(), now=clock.now()).filter(change__public_id=public_id).first()
        if deploy is None:
            raise NotFound
        deploy.team = caller.team
        return Response(DeployAnswer(deploy).data)
