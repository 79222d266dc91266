"""Flags of other systems, carried over from a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.actions.flag_imports import import_flags
from deploys.formats.flag_exports import read_flagsmith, read_unleash
from deploys.formats.flag_import import Import
from deploys.formats.flagd import read_flagd
from deploys.formats.reading import any_json, json_of
from deploys.formats.webhook import NotTaken
from deploys.models import Environment, Role, Team
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm

LONGEST = 5_000_000


class ImportForm(PlainForm):
    """A file of another system, and where its rules are to hold."""

    system = forms.ChoiceField(
        label="From", choices=[("flagd", "flagd: flags.json"), ("unleash", "Unleash: an export"), ("flagsmith", "Flagsmith: its flags by API, or an environment's document")],
    )  # fmt: skip
    environment = forms.ModelChoiceField(
        label="Environment", queryset=Environment.objects.none(), empty_label=None,
        help_text="Its rules hold here; elsewhere the flags are off. Of an Unleash export, what it has for an environment of this name.",
    )  # fmt: skip
    file = forms.FileField(label="File", help_text="JSON.")

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["environment"]  # Any: a field knows its own attributes only
        chosen.queryset = Environment.objects.filter(team=team).order_by("name")

    def found(self) -> Import:
        """What the file holds. NotTaken where it is no such file."""
        said = self.cleaned_data
        body = said["file"].read(LONGEST + 1)
        if said["system"] == "flagsmith":
            return read_flagsmith(any_json(body))
        if said["system"] == "unleash":
            return read_unleash(json_of(body), said["environment"].name)
        return read_flagd(json_of(body))


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
def flag_import(request: TeamRequest) -> HttpResponse:
    """The form; after it, what was carried over and what was left out, with why."""
    form, done = ImportForm(request.POST or None, request.FILES or None, team=request.team), None
    if request.method == "POST" and form.is_valid():
        try:
            done = import_flags(
                environment=form.cleaned_data["environment"], found=form.found(), now=clock.now(), by=request.user
            )
        except NotTaken as error:
            form.add_error("file", str(error))
    return render(request, "deploys/flag_import.html", {"form": form, "done": done})
