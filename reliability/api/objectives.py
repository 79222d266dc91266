"""GET and POST /api/v1/objectives."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from deploys import clock
from deploys.api.authentication import caller_of
from deploys.api.deploys import PROBLEMS, READ_PROBLEMS
from deploys.api.parsers import as_mapping
from deploys.api.problems import Problem
from deploys.api.writes import ScopedView
from deploys.domain.instants import instant_text
from deploys.models import Scope
from reliability.actions.objectives import BadObjective, promise
from reliability.api.answers import ObjectiveList, ObjectiveMessage, ObjectiveWritten
from reliability.queries.reports import objectives_now


class ObjectivesView(ScopedView):
    """What the token's team promises."""

    scopes: ClassVar[dict[str, str]] = {"GET": Scope.METRICS_READ, "POST": Scope.OBJECTIVES_WRITE}

    @extend_schema(operation_id="list_objectives", tags=["objectives"], responses={200: ObjectiveList, **READ_PROBLEMS})
    def get(self, request: Request) -> Response:
        """Read every objective with its budget and burn rates, evaluated now."""
        now = clock.now()
        objectives = objectives_now(team=caller_of(request).team, now=now)
        return Response({"evaluated_at": instant_text(now), "objectives": objectives})

    @extend_schema(
        operation_id="set_objective",
        tags=["objectives"],
        request={"application/json": ObjectiveMessage},
        responses={200: ObjectiveWritten, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Set an objective, or change the one with this id. The same message again changes nothing."""
        caller, payload = caller_of(request), dict(as_mapping(request.data))
        message = ObjectiveMessage(data=payload)
        message.is_valid(raise_exception=True)
        said = {key: value for key, value in message.validated_data.items() if key in payload}
        policy = said.pop("budget_policy", None)
        try:
            promise(team=caller.team, payload=said, budget_policy=policy, by=None)
        except BadObjective as error:
            name, _, detail = str(error).partition(": ")
            raise Problem("invalid-message", str(error), errors=[{"pointer": f"#/{name}", "detail": detail}]) from error
        printed = objectives_now(team=caller.team, now=clock.now())[said["id"]]
        rules = [name for name, rule in printed["alerts"].items() if not rule["reachable"]]
        return Response({"id": said["id"], "unreachable_rules": rules, "objective": printed})
