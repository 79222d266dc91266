"""Declaring an incident by hand: from any page, from an issue, from an alert."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.models import Role, Service
from deploys.views.access import TeamRequest, team_page
from incidents.actions.declare import DeclareRefused, declare, default_service
from incidents.domain.clocks import Clock, ClockRefused
from incidents.models import Alert, ImpactClass, Issue
from incidents.queries.signals import began_at
from incidents.views.forms import DeclareForm
from incidents.views.incidents import BAD_INPUT

RETROACTIVE = (Clock.DETECTED, Clock.ACKNOWLEDGED, Clock.MITIGATED, Clock.RESTORED)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the declaration is made from; at most one of the two."""

    issue: Issue | None = None
    alert: Alert | None = None

    @property
    def service(self) -> Service | None:
        """The service it is about."""
        about = self.issue or self.alert
        return about.service if about else None


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_declare(request: TeamRequest) -> HttpResponse:
    """Declaring an incident by hand; `?issue=`, `?alert=`, `?service=` and `?title=` fill in what is known."""
    occasion = _occasion(request)
    form = DeclareForm(request.POST or None, team=request.team, initial=_initial(request, occasion))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            incident = declare(
                team=request.team,
                title=data["title"],
                by=request.user,
                now=clock.now(),
                services=list(data["services"]),
                impact_class=ImpactClass(data["impact_class"]) if data["impact_class"] else None,
                started_at=data["started_at"],
                clocks={each: data[each.value] for each in RETROACTIVE if data[each.value] is not None},
                note=data["note"],
                issue=occasion.issue,
                environment=occasion.alert.environment.name if occasion.alert else "production",
            )
        except DeclareRefused as refused:
            form.add_error(refused.field, str(refused))
        except ClockRefused as refused:
            form.add_error(refused.clock.value, str(refused))
        else:
            messages.success(request, f"{incident.slug} is open. What you left empty can be added here.")
            return redirect("incident-detail", request.team.slug, incident.number)
    has_services = form.fields["services"].queryset.exists()  # type: ignore[attr-defined]  # a ServicesField
    context = {"form": form, "issue": occasion.issue, "alert": occasion.alert, "has_services": has_services}
    return render(request, "incidents/declare.html", context, status=BAD_INPUT if form.errors else 200)


def _occasion(request: TeamRequest) -> Occasion:
    """The team's issue or alert the declaration is made from; 404 for one that is not."""
    issue, alert = request.GET.get("issue", ""), request.GET.get("alert", "")
    try:
        if issue:
            rows = Issue.objects.select_related("service").filter(service__team=request.team)
            return Occasion(issue=rows.get(public_id=uuid.UUID(issue)))
        if alert:
            told = Alert.objects.select_related("service", "environment").filter(team=request.team)
            return Occasion(alert=told.get(public_id=uuid.UUID(alert)))
    except (ValueError, Issue.DoesNotExist, Alert.DoesNotExist) as error:
        raise Http404 from error
    return Occasion()


def _initial(request: TeamRequest, occasion: Occasion) -> dict[str, Any]:  # Any: initial values
    service = occasion.service
    if service is None:
        service = Service.objects.filter(team=request.team, name=request.GET.get("service", "")).first()
    service = service or default_service(team=request.team)
    known: dict[str, Any] = {
        "services": [service.pk] if service else [],
        "title": request.GET.get("title", ""),
    }  # Any: as above
    if occasion.issue:
        known["title"] = occasion.issue.title
    if occasion.alert:
        known |= {"title": occasion.alert.title, "started_at": began_at(occasion.alert), "note": _said(occasion.alert)}
    return known


def _said(alert: Alert) -> str:
    return f"Declared from the alert {alert.title} of {alert.origin}. {alert.url}".strip()
