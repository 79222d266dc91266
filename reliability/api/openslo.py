"""GET and POST /api/v1/objectives/openslo."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from deploys.api.authentication import caller_of
from deploys.api.deploys import PROBLEMS, READ_PROBLEMS
from deploys.api.parsers import read_limited
from deploys.api.problems import Problem
from deploys.api.writes import ScopedView
from deploys.models import Scope
from reliability.actions.openslo import Taken, as_openslo, take, weigh
from reliability.formats.openslo import NotOpenSlo


class YamlText(BaseParser):
    """The text of a YAML document, unread."""

    media_type = "application/yaml"

    def parse(
        self, stream: Any, media_type: object = None, parser_context: object = None
    ) -> Any:  # Any: a stream; a text
        """UTF-8 of at most a million bytes."""
        try:
            return read_limited(stream).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ParseError("expected UTF-8") from error


class OlderYamlText(YamlText):
    """Under its name before RFC 9512."""

    media_type = "application/x-yaml"


class TextYamlText(YamlText):
    """As some programs call it."""

    media_type = "text/yaml"


class OpenSloLine(serializers.Serializer[Any]):  # Any: no row behind it
    """What becomes of one objective of the document."""

    id = serializers.CharField()
    state = serializers.ChoiceField([str(each) for each in Taken])
    key = serializers.CharField(allow_blank=True, help_text="Of a refused one, the place at fault.")
    message = serializers.CharField(allow_blank=True)


class OpenSloAnswer(serializers.Serializer[Any]):  # Any: as above
    """What was done, or with `dry_run` would be."""

    dry_run = serializers.BooleanField()
    objectives = OpenSloLine(many=True)


class OpenSloView(ScopedView):
    """The objectives of the token's team as OpenSLO v1."""

    scopes = {"GET": Scope.METRICS_READ, "POST": Scope.OBJECTIVES_WRITE}
    parser_classes = [YamlText, OlderYamlText, TextYamlText]

    @extend_schema(
        operation_id="read_openslo",
        tags=["objectives"],
        responses={(200, "application/yaml"): OpenApiTypes.ANY, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Read every objective as OpenSLO v1, one document each."""
        return HttpResponse(as_openslo(caller_of(request).team), content_type="application/yaml; charset=utf-8")

    @extend_schema(
        operation_id="import_openslo",
        tags=["objectives"],
        parameters=[OpenApiParameter("dry_run", bool, description="true: say what would be done, write nothing.")],
        request={"application/yaml": OpenApiTypes.STR},
        responses={200: OpenSloAnswer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Set the objectives of OpenSLO v1 documents. Those that cannot be counted exactly are refused, each with its reason."""
        text: object = request.data
        if not isinstance(text, str) or not text.strip():
            nothing = "expected OpenSLO documents in the body"
            raise Problem("invalid-message", nothing, errors=[{"pointer": "#", "detail": nothing}])
        is_dry = request.query_params.get("dry_run", "") in {"1", "true"}
        team = caller_of(request).team
        try:
            found = weigh(team=team, text=text) if is_dry else take(team=team, text=text, by=None)
        except NotOpenSlo as error:
            problem = f"not OpenSLO: {error}"
            raise Problem("invalid-message", problem, errors=[{"pointer": "#", "detail": str(error)}]) from error
        return Response({"dry_run": is_dry, "objectives": OpenSloLine(found, many=True).data})
