"""Objectives as OpenSLO v1: the file, and taking one over after a look at what it would do.

The text travels with the form, so nothing is kept of what nobody imported.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from deploys.models import Role
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from reliability.actions.openslo import Taken, Weighed, as_openslo, count_of, take, weigh
from reliability.addresses import page_url
from reliability.formats.openslo import LONGEST_TEXT, NotOpenSlo

BAD_INPUT = 422


class DocumentForm(PlainForm):
    """The documents: a file, or pasted."""

    file = forms.FileField(label="An OpenSLO file", required=False, widget=forms.FileInput({"accept": ".yaml,.yml"}))
    text = forms.CharField(
        label="Or paste it", required=False, strip=False, widget=forms.Textarea({"rows": 10, "spellcheck": "false", "class": "input"}),
        help_text="OpenSLO v1. Documents of kind SLO become objectives, other kinds are passed over.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:  # Any: cleaned values
        """The text, from wherever it came."""
        data = super().clean() or self.cleaned_data
        file = data.get("file")
        if file is not None:
            if file.size > LONGEST_TEXT:
                raise forms.ValidationError("At most a megabyte: cut it in two.")
            data["text"] = file.read().decode("utf-8-sig", errors="replace")
        if not data.get("text", "").strip():
            raise forms.ValidationError("Choose a file, or paste its text.")
        return data


@team_page()
@require_safe
def openslo_file(request: TeamRequest) -> HttpResponse:
    """The team's objectives as a file."""
    response = HttpResponse(as_openslo(request.team), content_type="application/yaml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{request.team.slug}-objectives.yaml"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
def openslo_import(request: TeamRequest) -> HttpResponse:
    """A dry run first; with `act=import` the objectives are set."""
    if request.method != "POST":
        return _page(request, DocumentForm())
    form = DocumentForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=BAD_INPUT)
    text = form.cleaned_data["text"]
    try:
        if request.POST.get("act") != "import":
            return _page(request, form, weigh(team=request.team, text=text), text)
        done = take(team=request.team, text=text, by=request.user)
    except NotOpenSlo as problem:
        form.add_error(None, f"This is not OpenSLO: {problem}")
        return _page(request, form, status=BAD_INPUT)
    messages.success(
        request,
        f"{count_of(done, Taken.NEW)} new, {count_of(done, Taken.CHANGED)} changed, {count_of(done, Taken.SAME)} known already, {count_of(done, Taken.REFUSED)} refused.",
    )
    return redirect("objective-list", request.team.slug)


def _page(
    request: TeamRequest, form: DocumentForm, weighed: list[Weighed] | None = None, text: str = "", *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form, "weighed": weighed, "text": text, "list_url": page_url("objective-list", request.team.slug),
        "taken_count": count_of(weighed or [], Taken.NEW, Taken.CHANGED),
    }  # fmt: skip
    return render(request, "reliability/openslo.html", context, status=status)
