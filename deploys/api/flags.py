"""POST /api/v1/flags."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from deploys import clock
from deploys.actions.deploys import UnknownEnvironment, UnknownService, Verdict
from deploys.actions.flags import IncompleteChange, RecordedFlag, record_flag
from deploys.actions.turns import one_write
from deploys.api.authentication import caller_of
from deploys.api.deploys import API, PROBLEMS, unknown_name
from deploys.api.parsers import FormFields, as_mapping
from deploys.api.problems import Problem
from deploys.api.serializers import FlagAnswer, FlagMessage
from deploys.api.writes import DeliveryView, unknown_keys
from deploys.models import Scope


class FlagsView(DeliveryView):
    """Flags of the token's team."""

    event = "flag"
    scopes: ClassVar[dict[str, str]] = {"POST": Scope.DEPLOYS_WRITE}

    @extend_schema(
        operation_id="record_flag",
        tags=["flags"],
        request={"application/json": FlagMessage, "application/x-www-form-urlencoded": FlagMessage},
        responses={200: FlagAnswer, 201: FlagAnswer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Report that a flag was changed, or describe a flag. The same message twice changes nothing."""
        caller, received_at = caller_of(request), clock.now()
        data = as_mapping(request.data)
        message = FlagMessage(data=data, context={"is_form": isinstance(data, FormFields)})
        message.is_valid(raise_exception=True)
        warnings = unknown_keys(data, message.fields)
        delivery_id = message.validated_data.get("delivery_id")
        try:
            with one_write():
                recorded = record_flag(
                    team=caller.team, report=message.report(), source=API, received_at=received_at,
                    delivery_id=delivery_id, can_create=caller.may(Scope.SERVICES_WRITE),
                )  # fmt: skip
                self.log(
                    request, caller, verdict=recorded.verdict,
                    change=recorded.change.change if recorded.change else None, service=None,
                    delivery_id=delivery_id, warnings=warnings,
                )  # fmt: skip
        except (UnknownService, UnknownEnvironment) as error:
            raise unknown_name(error) from error
        except IncompleteChange as error:
            said = [{"pointer": f"#/{error}", "detail": "missing"}]
            raise Problem("invalid-message", f"{error}: missing", errors=said) from error
        status = 201 if recorded.verdict is Verdict.CREATED else 200
        return Response(_answer(recorded, warnings), status=status, headers={"Upshot-Verdict": str(recorded.verdict)})


def _answer(recorded: RecordedFlag, warnings: list[str]) -> object:
    change = recorded.change
    return FlagAnswer(
        {
            "key": recorded.flag.key,
            "environment": recorded.flag.environment.name,
            "id": change.external_id if change else None,
            "public_id": change.change.public_id if change else None,
            "at": change.change.at if change else None,
            "new_percent": change.new_percent if change else None,
            "warnings": warnings,
        }
    ).data
