"""What every endpoint that takes deliveries has in common: each of them leaves a line in the delivery log."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.db import OperationalError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deploys import clock
from deploys.actions.deliveries import delivery_line, log_delivery
from deploys.actions.turns import one_write
from deploys.api.authentication import Caller, ScopePermission
from deploys.api.parsers import FormFieldsParser, StrictJSONParser
from deploys.api.problems import problem_of
from deploys.models import Change, Delivery, Service


class ScopedView(APIView):
    """An endpoint for tokens; `scopes` names what each method needs."""

    scopes: ClassVar[dict[str, str]] = {}
    permission_classes = [ScopePermission]
    parser_classes = [StrictJSONParser, FormFieldsParser]


class DeliveryView(ScopedView):
    """An endpoint that machines write to. A refused message is logged when a team can be told from its token."""

    kind = "api"
    event = ""

    def handle_exception(self, exc: Exception) -> Response:
        """Logs the refusal, then answers the problem. A database that takes no writes takes no log line either."""
        reason = self.refusal_of(exc)
        is_write = self.request.method not in {"GET", "HEAD", "OPTIONS"}
        if reason is not None and is_write and not isinstance(exc, OperationalError):
            self._log_refusal(reason)
        return super().handle_exception(exc)

    def refusal_of(self, error: Exception) -> str | None:
        """What the log says of a refusal; None for errors that are bugs."""
        problem = problem_of(error)
        return None if problem is None else f"{problem.type.slug}: {problem.detail}"

    def _log_refusal(self, reason: str) -> None:
        caller = getattr(self.request, "_user", None)
        if isinstance(caller, Caller):
            with one_write():
                log_delivery(
                    team=caller.team, token=caller.token, kind=self.kind, event=self.event, received_at=clock.now(),
                    verdict=Delivery.Verdict.REFUSED, reason=reason, body=self._body(),
                )  # fmt: skip

    def _body(self) -> object:
        data: object = getattr(self.request, "_full_data", None)
        return data if isinstance(data, dict | list) else None

    def line(
        self,
        request: Request,
        caller: Caller,
        *,
        received_at: dt.datetime,
        delivery_id: str | None,
        warnings: list[str],
    ) -> Delivery:
        """The line of a message that is taken, not yet written: what became of it is still to be said."""
        return delivery_line(
            team=caller.team, token=caller.token, kind=self.kind, event=self.event, received_at=received_at,
            verdict="", reason="; ".join(warnings), delivery_id=delivery_id or "", body=request.data,
        )  # fmt: skip

    def log(
        self,
        request: Request,
        caller: Caller,
        *,
        verdict: str,
        change: Change | None,
        service: Service | None,
        delivery_id: str | None,
        warnings: list[str],
    ) -> None:
        """The line of a message that was taken."""
        line = self.line(request, caller, received_at=clock.now(), delivery_id=delivery_id, warnings=warnings)
        line.verdict, line.change, line.service = verdict, change, service
        line.save(force_insert=True)


def unknown_keys(data: dict[str, Any] | Any, known: Any) -> list[str]:  # Any: JSON; a serializer's fields
    """A warning for every key that is none of ours, as the import gives it; at most ten."""
    return [f"{str(key)[:60]}: unknown key, ignored" for key in data if key not in known][:10]
