"""Services: the list, one of them, and what people say about it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from deploys import clock
from deploys.actions.catalog import NotThatName, edit_service, set_event_rate, set_owner_group
from deploys.domain.problem_types import PROBLEMS
from deploys.formats.sources import KINDS
from deploys.models import Delivery, Dependency, Deploy, Role, Service, Source
from deploys.ports import column_cells, columns, panels
from deploys.queries.addresses import dsn_of, webhook_url
from deploys.queries.deliveries import refused_last
from deploys.queries.services import last_deploys, live_by_environment, neighbours, services_with_live
from deploys.views.access import RANK, TeamRequest, team_page
from deploys.views.deploys import OUTCOME_WORDS, sign_of
from deploys.views.forms import PlainForm
from deploys.views.setup import curl_snippet, node_snippet, python_snippet

LAST_DEPLOYS = 10


def _has_role(request: TeamRequest, role: Role) -> bool:
    return RANK[Role(request.membership.role)] >= RANK[role]


def _service(request: TeamRequest, public_id: uuid.UUID) -> Service:
    rows = Service.objects.select_related("owner_group")
    service = get_object_or_404(rows, team=request.team, public_id=public_id)
    service.team = request.team
    return service


@require_safe
@team_page()
def service_list(request: TeamRequest) -> HttpResponse:
    """All services of the team, with what is live; columns of the rooms above, worst first where one ranks."""
    found = services_with_live(request.team)
    services = [service for service, _, _ in found]
    cells = column_cells("service-list", request.team, services)
    for column in columns("service-list"):
        if column.rank is not None and services:
            ranks = column.rank(request.team, services)
            found.sort(key=lambda row: ranks.get(row[0].pk, float("inf")))
            break
    context = {
        "lines": [(*row, cells[row[0].pk]) for row in found],
        "columns": columns("service-list"),
        "can_add": _has_role(request, Role.ADMIN),
    }
    return render(request, "deploys/service_list.html", context)


@require_safe
@team_page()
def service_detail(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One service: what is live where, its last deploys, what it depends on, how to set it up."""
    service = _service(request, public_id)
    calls, called_by = neighbours(service)
    deploys = list(last_deploys(service, count=LAST_DEPLOYS))
    sources = _sources_of(service)
    context: dict[str, Any] = {
        "service": service,
        "live": live_by_environment(service),
        "deploys": [_line(deploy) for deploy in deploys],
        "last_deploy": deploys[0] if deploys else None,
        "refused": [
            (KINDS[source.kind].title, source, delivery, refusal_words(delivery))
            for source, delivery in refused_last(service, sources)
        ],
        "calls": calls,
        "called_by": called_by,
        "panels": {place: panels(f"service-{place}", request, service) for place in ("answer", "main", "aside")},
        "can_edit": _has_role(request, Role.ADMIN),
        "can_set_up": _has_role(request, Role.RESPONDER),
    }
    if context["can_set_up"]:
        context.update(_set_up(service, sources))
    return render(request, "deploys/service_detail.html", context)


def _sources_of(service: Service) -> list[Source]:
    """The active webhooks that may tell of this service."""
    rows = service.team.sources.filter(is_active=True, kind__in=KINDS).order_by("name")
    return [source for source in rows if source.service_id in {None, service.pk}]


def refusal_words(delivery: Delivery) -> str:
    """Why it was refused, in two words where a problem type is named: `wrong-signature: …` is `wrong signature`."""
    slug, colon, _ = delivery.reason.partition(": ")
    return slug.replace("-", " ") if colon and slug in PROBLEMS else delivery.reason[:140]


def _line(deploy: Deploy) -> tuple[Deploy, str, str, tuple[str, str]]:
    """The deploy with kind, sign and outcome in words."""
    kind = deploy.kind_listed or deploy.kind_stated
    outcome = OUTCOME_WORDS.get(deploy.outcome_listed, OUTCOME_WORDS["running"])
    return deploy, kind, sign_of(deploy, kind), outcome


def _set_up(service: Service, sources: Sequence[Source]) -> dict[str, Any]:  # Any: template context
    """Snippets with this service's values."""
    dsn = dsn_of(service)
    return {
        "dsn": dsn,
        "python": python_snippet(dsn),
        "node": node_snippet(dsn),
        "curl": curl_snippet(service.name),
        "webhooks": [(source, KINDS[source.kind], webhook_url(source)) for source in sources],
    }


class ServiceFactsForm(PlainForm):
    """What people know of a service and no machine can tell."""

    is_critical = forms.BooleanField(
        label="When it is down, your product is down", required=False, help_text="Counts in the headline of the whole."
    )
    users = forms.IntegerField(
        label="People who depend on it", required=False, min_value=0, max_value=10**12,
        help_text="For availability weighted by users.",
    )  # fmt: skip
    owner_group = forms.CharField(
        label="Owner group", required=False, max_length=100, help_text="Who is asked when it breaks."
    )
    event_rate = forms.IntegerField(
        label="Errors a second it may send", required=False, min_value=0, max_value=10**6,
        help_text="Beyond, it is told to wait. Empty: as the instance has it. 0: no limit.",
    )  # fmt: skip
    event_burst = forms.IntegerField(
        label="Errors it may send at once", required=False, min_value=1, max_value=10**8,
        help_text="Above its rate, for a bad minute. Empty: as the instance has it.",
    )  # fmt: skip
    depends_on = forms.MultipleChoiceField(
        label="It calls", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="A fault there may show here.",
    )  # fmt: skip

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        others = service.team.services.exclude(pk=service.pk).order_by("name").values_list("name", flat=True)
        field: Any = self.fields["depends_on"]  # Any: a field knows its own attributes only
        field.choices = [(name, name) for name in others]
        if not field.choices:
            del self.fields["depends_on"]
        groups = service.team.owner_groups.order_by("name").values_list("name", flat=True)
        self.groups = list(groups)
        self.fields["owner_group"].widget.attrs.update({"list": "owner-groups", "autocomplete": "off"})


def _known_facts(service: Service) -> dict[str, Any]:  # Any: form values
    declared = service.dependencies.filter(origin=Dependency.Origin.DECLARED)
    return {
        "is_critical": service.is_critical,
        "users": service.users_count,
        "owner_group": service.owner_group.name if service.owner_group else "",
        "event_rate": service.event_rate,
        "event_burst": service.event_burst,
        "depends_on": list(declared.values_list("depends_on__name", flat=True)),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
def service_edit(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """Says what a person knows of a service; only what was changed becomes a fact."""
    service = _service(request, public_id)
    known = _known_facts(service)
    form = ServiceFactsForm(request.POST or None, initial=known, service=service)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                _save(request, service, known, form.cleaned_data)
            except NotThatName as error:
                form.add_error("owner_group", str(error))
            else:
                messages.success(request, "Saved.")
                return redirect("service-detail", request.team.slug, service.public_id)
        status = 422
    return render(request, "deploys/service_edit.html", {"service": service, "form": form}, status=status)


def _save(
    request: TeamRequest, service: Service, known: dict[str, Any], said: dict[str, Any]
) -> None:  # Any: form values
    if said["owner_group"].strip().lower() != known["owner_group"].lower():
        set_owner_group(service=service, name=said["owner_group"])
    if (said["event_rate"], said["event_burst"]) != (service.event_rate, service.event_burst):
        set_event_rate(service=service, rate=said["event_rate"], burst=said["event_burst"])
    facts: dict[str, Any] = {}  # Any: JSON
    if said["is_critical"] != service.is_critical:
        facts["critical"] = said["is_critical"]
    if said["users"] != service.users_count:
        facts["users"] = said["users"]
    if "depends_on" in said and sorted(said["depends_on"]) != sorted(known["depends_on"]):
        facts["depends_on"] = said["depends_on"]
    if facts or not service.is_declared:
        edit_service(team=request.team, name=service.name, facts=facts, now=clock.now(), actor=request.user)
