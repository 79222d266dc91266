"""Runbooks: what to do when something of a service breaks, and whether it helped."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from deploys import clock
from deploys.models import Role, Service
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from incidents.actions import runbooks
from incidents.formats.markdown import note_html
from incidents.models import Runbook, RunbookUse
from incidents.queries.runbooks import runbooks_of
from incidents.views.incident_acts import back
from incidents.views.incidents import BAD_INPUT, can_write, found


class RunbookForm(PlainForm):
    """A runbook's title and text."""

    title = forms.CharField(label="When", max_length=200, help_text="What it is for: Checkout answers 500.")
    text = forms.CharField(
        label="What to do", max_length=runbooks.LONGEST, strip=False, widget=forms.Textarea({"rows": 16}),
        help_text="Markdown. Steps somebody can follow who has just been woken up, and how they see that it worked.",
    )  # fmt: skip


class NewRunbookForm(RunbookForm):
    """A new one says of which service."""

    service = forms.ModelChoiceField(label="Service", queryset=Service.objects.none(), to_field_name="name")
    field_order = ("service", "title", "text")

    def __init__(self, *args: Any, team: Any, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        services: Any = self.fields["service"]  # Any: a field knows its own attributes only
        services.queryset = Service.objects.filter(team=team, retired_at=None).order_by("name")


class ReviseForm(RunbookForm):
    """Another version of it."""

    note = forms.CharField(label="What changed, and why", required=False, max_length=300)
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


def _runbook(request: TeamRequest, public_id: uuid.UUID) -> Runbook:
    try:
        return Runbook.objects.select_related("service", "team").get(team=request.team, public_id=public_id)
    except Runbook.DoesNotExist as error:
        raise Http404 from error


@require_GET
@team_page()
def runbook_list(request: TeamRequest) -> HttpResponse:
    """All runbooks of the team, by service."""
    services = list(Service.objects.filter(team=request.team).values_list("pk", flat=True))
    return render(request, "incidents/runbooks.html", {"rows": runbooks_of(services), "can_write": can_write(request)})


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def runbook_new(request: TeamRequest) -> HttpResponse:
    """Writing one; `?service=` chooses the service."""
    form = NewRunbookForm(request.POST or None, team=request.team, initial={"service": request.GET.get("service", "")})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            runbook = runbooks.write_runbook(
                service=data["service"], title=data["title"], text=data["text"], by=request.user, now=clock.now()
            )
        except runbooks.RunbookRefused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("runbook", request.team.slug, runbook.public_id)
    return render(request, "incidents/runbook_new.html", {"form": form}, status=BAD_INPUT if form.errors else 200)


@require_http_methods(["GET", "POST"])
@team_page()
def runbook(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One runbook in the version asked for, else the newest; `act` retires it or offers it again."""
    row = _runbook(request, public_id)
    if request.method == "POST":
        runbooks.retire(runbook=row, is_retired=request.POST.get("act") == "retire", now=clock.now())
        return redirect("runbook", request.team.slug, row.public_id)
    versions = list(row.versions.select_related("by").order_by("-number")[:100])
    asked = request.GET.get("version", "")
    shown = next((each for each in versions if str(each.number) == asked), versions[0])
    uses = RunbookUse.objects.filter(version__runbook=row).select_related("incident", "version", "by")
    context = {
        "runbook": row,
        "versions": versions,
        "shown": shown,
        "is_newest": shown is versions[0],
        "html": mark_safe(note_html(shown.text)),  # noqa: S308 -- note_html is what makes it safe
        "uses": list(uses.order_by("-at", "-pk")[:50]),
        "can_write": can_write(request),
    }
    return render(request, "incidents/runbook.html", context)


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def runbook_edit(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """Revising one."""
    row = _runbook(request, public_id)
    last = row.versions.order_by("-number").first()
    initial = {"title": row.title, "text": last.text if last else "", "seen": last.number if last else 0}
    form = ReviseForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            runbooks.revise(runbook=row, by=request.user, now=clock.now(), **form.cleaned_data)
        except runbooks.RunbookRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Saved. Earlier versions stay.")
            return redirect("runbook", request.team.slug, row.public_id)
    return render(
        request, "incidents/runbook_edit.html", {"runbook": row, "form": form}, status=BAD_INPUT if form.errors else 200
    )


@require_POST
@team_page()
def incident_runbook(request: TeamRequest, number: int) -> HttpResponse:
    """Saying whether a runbook helped in this incident."""
    incident = found(request, number)
    try:
        row = _runbook(request, uuid.UUID(request.POST.get("runbook", "")))
        runbooks.mark_used(
            incident=incident, runbook=row, outcome=RunbookUse.Outcome(request.POST.get("outcome", "")), by=request.user,
            now=clock.now(), note=request.POST.get("note", ""),
        )  # fmt: skip
    except (ValueError, Http404):
        messages.error(request, "Choose a runbook of this team, and say whether it worked.")
    else:
        messages.success(request, "Noted with the runbook.")
    return back(request, incident)


def service_runbooks(request: HttpRequest, service: Service) -> str:
    """A service: its runbooks. At most three queries."""
    return render_to_string(
        "incidents/panels/runbooks.html", {"rows": runbooks_of([service]), "service": service}, request=request
    )
