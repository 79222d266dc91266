"""GET /api/v1/reports: closed reports and their numbers."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from deploys.api.authentication import caller_of
from deploys.api.deploys import READ_PROBLEMS
from deploys.api.problems import Problem
from deploys.api.writes import ScopedView
from deploys.models import Scope
from deploys.queries.pages import BadCursor, page_of
from reliability.api.answers import ReportAnswer, ReportLine, ReportList
from reliability.api.reading import bad_value
from reliability.charts.telling import without
from reliability.domain.verdicts import week_word
from reliability.models import ReportSnapshot

PAGE_SIZE = 50


class ReportsView(ScopedView):
    """The snapshots of the token's team."""

    scopes: ClassVar[dict[str, str]] = {"GET": Scope.METRICS_READ}

    @extend_schema(
        operation_id="list_reports",
        tags=["reports"],
        parameters=[OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")],
        responses={200: ReportList, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """List closed reports and their restatements, the one stored last first, 50 to a page."""
        rows = ReportSnapshot.objects.filter(team=caller_of(request).team).defer("result", "beside", "difference")
        try:
            page = page_of(rows, by="created_at", query=request.query_params, size=PAGE_SIZE)
        except BadCursor as error:
            raise Problem("invalid-cursor", "take `next` or `previous` of an answer as it is") from error
        address = f"{settings.BASE_URL}{request.path}?"
        return Response(
            {
                "next": address + page.older if page.older else None,
                "previous": address + page.newer if page.newer else None,
                "results": ReportLine(page.rows, many=True).data,
            }
        )


class ReportView(ScopedView):
    """One closed report of the token's team."""

    scopes: ClassVar[dict[str, str]] = {"GET": Scope.METRICS_READ}

    @extend_schema(
        operation_id="read_report",
        tags=["reports"],
        parameters=[OpenApiParameter("number", int, description="Which snapshot. Default: the one that stands.")],
        responses={200: ReportAnswer, **READ_PROBLEMS},
    )
    def get(self, request: Request, label: str) -> Response:
        """Read a closed report: 2026-W13, 2026-03, 2026-Q1."""
        rows = ReportSnapshot.objects.filter(team=caller_of(request).team, label=label)
        number = request.query_params.get("number", "")
        if number and not (number.isascii() and number.isdigit() and 0 < int(number[:6]) < 30_000):
            raise bad_value("number", "expected a whole number from 1")
        if number:
            rows = rows.filter(number=int(number[:6]))
        snapshot = rows.order_by("-number").first()
        if snapshot is None:
            raise NotFound
        return Response(
            {
                **ReportLine(snapshot).data,
                "word": str(week_word(list(snapshot.result["objectives"].values()))),
                "difference": snapshot.difference,
                "result": snapshot.result,
                "beside": without(snapshot.beside),
            }
        )
