"""GET and POST /api/v1/incidents."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from deploys import clock
from deploys.api.authentication import caller_of
from deploys.api.deploys import PROBLEMS, READ_PROBLEMS
from deploys.api.fields import InstantField, NameField, TextField
from deploys.api.parsers import FormFields, as_mapping
from deploys.api.problems import Problem
from deploys.api.writes import DeliveryView, unknown_keys
from deploys.models import Scope, Service
from incidents.actions.declare import DeclareRefused
from incidents.actions.outside_incidents import OutsideIncident, UnknownServices, take_incident
from incidents.api.serializers import page_address
from incidents.domain.clocks import Clock, ClockRefused
from incidents.domain.cursors import read_cursor
from incidents.models import ImpactClass, Incident
from incidents.queries.incidents import CAUSES, STATES, IncidentFilter, incident_page

TOLD = (Clock.STARTED, Clock.DETECTED, Clock.ACKNOWLEDGED, Clock.MITIGATED, Clock.RESTORED)


class IncidentMessage(serializers.Serializer[Any]):  # Any: no row behind it
    """An incident, or news of one: `id` is the sender's own, and a message with the same id updates it."""

    id = NameField(max_length=200, required=False, help_text="Your own id. The same message twice changes nothing.")
    title = NameField(max_length=300, required=False, help_text="What is broken. Needed the first time.")
    services = serializers.ListField(
        child=NameField(max_length=200), max_length=100, required=False, help_text="Default: the likeliest one."
    )
    service = NameField(max_length=200, required=False, help_text="The same, for one.")
    environment = NameField(max_length=100, required=False, help_text="Default: production.")
    started_at = InstantField(required=False, help_text="Default: when it is received.")
    detected_at = InstantField(required=False, allow_null=True)
    acknowledged_at = InstantField(required=False, allow_null=True)
    mitigated_at = InstantField(required=False, allow_null=True)
    restored_at = InstantField(required=False, allow_null=True, help_text="null: it is open again.")
    note = TextField(required=False, max_length=20_000, help_text="Markdown, into the timeline.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:  # Any: as the base class has it
        """Adds `class`, which is no name Python allows."""
        chosen = serializers.ChoiceField(ImpactClass.values, required=False, help_text="Default: multi_user.")
        return {**super().get_fields(), "class": chosen}

    def said(self) -> OutsideIncident:
        """The message as the action takes it."""
        data = self.validated_data
        names = [*data.get("services", ()), *([data["service"]] if data.get("service") else [])]
        return OutsideIncident(
            id=data.get("id", ""),
            title=data.get("title"),
            impact_class=ImpactClass(data["class"]) if data.get("class") else None,
            services=names or None,
            environment=data.get("environment"),
            clocks={each: data[each.value] for each in TOLD if data.get(each.value) is not None},
            withdrawn=frozenset(each for each in TOLD if each.value in data and data[each.value] is None),
            note=data.get("note", "").strip(),
        )


class IncidentAnswer(serializers.Serializer[Incident]):
    """An incident as it stands. `status`: open, restored, closed, dismissed or duplicate."""

    incident = serializers.CharField(source="slug", help_text="Its name, for example INC-141.")
    public_id = serializers.UUIDField()
    id = serializers.CharField(source="external_id", help_text="The id its sender gave it.")
    title = serializers.CharField()
    status = serializers.CharField(source="standing")
    severity = serializers.CharField(help_text="sev1 to sev4, or empty.")
    environment = serializers.CharField(source="environment.name")
    services = serializers.SerializerMethodField()
    started_at = InstantField(allow_null=True)
    detected_at = InstantField(allow_null=True)
    acknowledged_at = InstantField(allow_null=True)
    mitigated_at = InstantField(allow_null=True)
    restored_at = InstantField(allow_null=True)
    closed_at = InstantField(allow_null=True)
    users_count = serializers.IntegerField()
    events_count = serializers.IntegerField()
    web_url = serializers.SerializerMethodField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:  # Any: as the base class has it
        """Adds `class`, which is no name Python allows."""
        return {**super().get_fields(), "class": serializers.ChoiceField(ImpactClass.values, source="impact_class")}

    def get_services(self, incident: Incident) -> list[str]:
        """Names, the one it is told of first in front."""
        return [each.service.name for each in incident.incident_services.all()]

    def get_web_url(self, incident: Incident) -> str:
        """Its page."""
        return page_address(incident, team_slug=self.context.get("team_slug", ""))


class IncidentWritten(IncidentAnswer):
    """The incident after the message."""

    verdict = serializers.ChoiceField(["created", "updated", "duplicate"])
    warnings = serializers.ListField(child=serializers.CharField())


class IncidentList(serializers.Serializer[Any]):  # Any: no row behind it
    """One page, newest first."""

    next = serializers.CharField(allow_null=True)
    results = IncidentAnswer(many=True)


class IncidentsView(DeliveryView):
    """Incidents of the token's team."""

    event = "incident"
    scopes: ClassVar[dict[str, str]] = {"POST": Scope.INCIDENTS_WRITE, "GET": Scope.INCIDENTS_READ}

    @extend_schema(
        operation_id="declare_incident",
        tags=["incidents"],
        request={"application/json": IncidentMessage, "application/x-www-form-urlencoded": IncidentMessage},
        responses={200: IncidentWritten, 201: IncidentWritten, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Declare an incident by its title, or tell news of the one with this id. The same message twice changes nothing."""
        caller, now = caller_of(request), clock.now()
        data = as_mapping(request.data)
        message = IncidentMessage(data=data, context={"is_form": isinstance(data, FormFields)})
        message.is_valid(raise_exception=True)
        warnings = unknown_keys(data, message.fields)
        try:
            incident, verdict = take_incident(
                team=caller.team, said=message.said(), told_by=f"the API token {caller.token.name}",
                can_create=caller.may(Scope.SERVICES_WRITE), now=now,
            )  # fmt: skip
        except DeclareRefused as refused:
            raise _invalid(refused.field, str(refused)) from refused
        except ClockRefused as refused:
            raise _invalid(refused.clock.value, str(refused)) from refused
        except UnknownServices as error:
            raise Problem(
                "unknown-service",
                f"no service {error} here: create it first, or use a token with the scope services:write",
                errors=[{"pointer": "#/services", "detail": "does not exist"}],
            ) from error
        first = incident.incident_services.select_related("service").first()
        self.log(
            request, caller, verdict=verdict, change=None, service=first.service if first else None, delivery_id=None,
            warnings=warnings,
        )  # fmt: skip
        body = IncidentAnswer(incident, context={"team_slug": caller.team.slug}).data
        return Response(
            {**body, "verdict": verdict, "warnings": warnings}, status=201 if verdict == "created" else 200,
            headers={"Upshot-Verdict": verdict},
        )  # fmt: skip

    @extend_schema(
        operation_id="list_incidents",
        tags=["incidents"],
        parameters=[
            OpenApiParameter("state", str, description=f"{', '.join(STATES)}. Default: all that count."),
            OpenApiParameter("class", str, description=", ".join(ImpactClass.values)),
            OpenApiParameter("service", str, description="Name of a service."),
            OpenApiParameter("cause", str, description=", ".join(CAUSES)),
            OpenApiParameter("q", str, description="Text, as the box above the list takes it."),
            OpenApiParameter("after", str, description="From `next` of another page."),
        ],
        responses={200: IncidentList, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """List incidents, newest first, 50 to a page."""
        team, query = caller_of(request).team, request.query_params
        wanted = _wanted(team, query)
        page = incident_page(team=team, wanted=wanted, after=read_cursor(query.get("after", "")))
        following = None
        if page.next_cursor is not None:
            more = query.copy()
            more["after"] = str(page.next_cursor)
            following = f"{settings.BASE_URL}{request.path}?{more.urlencode()}"
        context = {"team_slug": team.slug}
        return Response(
            {"next": following, "results": [IncidentAnswer(each, context=context).data for each in page.incidents]}
        )


def _wanted(team: Any, query: Any) -> IncidentFilter:  # Any: a team; a QueryDict
    """The filter of the address. An unknown value is a problem: a program would take the wrong list for the right one."""
    known = {"state": ("", *STATES), "class": ("", *ImpactClass.values), "cause": ("", *CAUSES)}
    for name, values in known.items():
        if query.get(name, "") not in values:
            raise _invalid(name, f"expected one of {', '.join(values[1:])}")
    service = None
    if name := query.get("service", "").replace("\x00", ""):
        service = Service.objects.filter(team=team, name=name).first()
        if service is None:
            raise _invalid("service", "does not exist")
    return IncidentFilter(
        state=query.get("state", ""), impact_class=query.get("class", ""), service=service, cause=query.get("cause", ""),
        text=query.get("q", "").replace("\x00", "")[:100],
    )  # fmt: skip


def _invalid(field: str, detail: str) -> Problem:
    return Problem("invalid-message", f"{field}: {detail}", errors=[{"pointer": f"#/{field}", "detail": detail}])
