"""GET /api/v1/metrics, and /metrics for Prometheus."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from deploys import clock
from deploys.api.authentication import caller_of
from deploys.api.deploys import READ_PROBLEMS
from deploys.api.writes import ScopedView
from deploys.models import Scope
from reliability.api.answers import MetricsAnswer
from reliability.api.reading import asked_point, asked_window, asked_zone
from reliability.domain.periods import PeriodKind, period_holding
from reliability.formats.prometheus import exposition
from reliability.queries.gauges import gauges_now
from reliability.queries.reports import report_as_of

POINT = "A date, a local date-time, a date-time with offset, or epoch seconds."


class MetricsView(ScopedView):
    """All numbers of a window."""

    scopes: ClassVar[dict[str, str]] = {"GET": Scope.METRICS_READ}

    @extend_schema(
        operation_id="read_metrics",
        tags=["metrics"],
        parameters=[
            OpenApiParameter("from", str, description=f"First instant. {POINT} Default: this ISO week's."),
            OpenApiParameter("to", str, description=f"First instant after the window. {POINT} Default: this week's end."),
            OpenApiParameter("zone", str, description="Zone of dates, days and weeks. Default: the team's."),
            OpenApiParameter("as_of", str, description=f"State of knowledge. {POINT} Default: now."),
        ],
        responses={200: MetricsAnswer, **READ_PROBLEMS},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Read every number of a window, as `manage.py metrics` prints it."""
        team, query, now = caller_of(request).team, request.query_params, clock.now()
        zone = asked_zone(query, team.zone)
        window = asked_window(query, zone, period_holding(PeriodKind.WEEK, now, zone).interval)
        as_of = asked_point(query, "as_of", zone, now)
        return Response(report_as_of(team=team, window=window, as_of=as_of, zone=zone))


class PlainTextRenderer(BaseRenderer):
    """Text as Prometheus reads it; problems stay JSON."""

    media_type = "text/plain"
    format = "txt"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: object = None, renderer_context: object = None
    ) -> bytes:  # Any: the answer
        """The text itself."""
        return (data if isinstance(data, str) else json.dumps(data)).encode()


class PrometheusView(ScopedView):
    """What is true now, as gauges."""

    scopes: ClassVar[dict[str, str]] = {"GET": Scope.METRICS_READ}
    renderer_classes = [PlainTextRenderer, JSONRenderer]

    @extend_schema(
        operation_id="scrape", tags=["metrics"], responses={(200, "text/plain"): OpenApiTypes.STR, **READ_PROBLEMS}
    )
    def get(self, request: Request) -> Response:
        """Scrape the numbers of the last 28 days, budgets and burn rates in Prometheus' text format."""
        text = exposition(gauges_now(team=caller_of(request).team, now=clock.now()))
        return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")
