"""GET /api/v1/incidents/<incident>/attribution: what a verdict says, and why."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from deploys.api.authentication import caller_of
from deploys.api.deploys import READ_PROBLEMS
from deploys.api.writes import ScopedView
from deploys.models import Scope
from incidents.api.serializers import AttributionAnswer
from incidents.queries.why import incident_called, why


class AttributionView(ScopedView):
    """Verdicts on one incident of the token's team."""

    scopes = {"GET": Scope.INCIDENTS_READ}

    @extend_schema(
        operation_id="read_attribution",
        tags=["incidents"],
        parameters=[
            OpenApiParameter(
                "incident", str, OpenApiParameter.PATH, description="`INC-141`, `141`, or the incident's public id."
            )
        ],
        responses={200: AttributionAnswer, **READ_PROBLEMS},
    )
    def get(self, request: Request, incident: str) -> Response:
        """Read which change caused an incident, if any: suspects with evidence for and against, and how it changed."""
        team = caller_of(request).team
        found = incident_called(team=team, name=incident)
        if found is None:
            raise NotFound
        return Response(AttributionAnswer(why(found), context={"team_slug": team.slug}).data)
