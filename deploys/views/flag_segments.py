"""Segments: users named once and used by the rules of many flags."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.actions.flag_registry import FlagRefused, rights_of
from deploys.actions.flag_segments import delete_segment, save_segment
from deploys.domain.flag_documents import segment_of
from deploys.domain.flag_preview import condition_in_words
from deploys.models import FlagSegment, Role
from deploys.queries.flag_segments import Use, segment_uses
from deploys.views.access import RANK, TeamRequest, team_page
from deploys.views.forms import PlainForm

MOST_SHOWN = 500


class SegmentForm(PlainForm):
    """Who is in a segment."""

    conditions = forms.CharField(
        label="Who fulfils all of this", required=False, max_length=100_000,
        widget=forms.Textarea({"rows": 5, "class": "input mono", "spellcheck": "false"}),
        help_text='A JSON list, such as [{"attribute": "email", "operator": "ends_with", "values": ["@example.com"]}].',
    )  # fmt: skip
    included = forms.CharField(
        label="And these users, always", required=False, max_length=1_000_000,
        widget=forms.Textarea({"rows": 3, "class": "input mono", "spellcheck": "false"}), help_text="Targeting keys, one a line.",
    )  # fmt: skip
    excluded = forms.CharField(
        label="But never these", required=False, max_length=1_000_000,
        widget=forms.Textarea({"rows": 3, "class": "input mono", "spellcheck": "false"}), help_text="Targeting keys, one a line.",
    )  # fmt: skip
    reason = forms.CharField(
        label="Why", required=False, max_length=500, help_text="Stands in the history of every flag that uses it."
    )

    def clean_conditions(self) -> list[Any]:  # Any: JSON; the action checks it
        """The JSON list."""
        try:
            said = json.loads(self.cleaned_data["conditions"] or "[]")
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"not JSON: {error}") from error
        if not isinstance(said, list):
            raise forms.ValidationError("expected a list of conditions")
        return said

    def document(self) -> dict[str, Any]:  # Any: JSON
        """The segment that is meant."""
        said = self.cleaned_data
        named = {name: [line.strip() for line in said[name].splitlines() if line.strip()] for name in ("included", "excluded")}  # fmt: skip
        return {"conditions": said["conditions"], **named}


class NewSegmentForm(SegmentForm):
    """A segment that does not exist yet."""

    key = forms.CharField(
        label="Key", max_length=100, help_text="As rules name it: letters, digits, dots, dashes, underscores.",
        widget=forms.TextInput({"class": "input mono", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    field_order = ("key", "conditions", "included", "excluded")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        del self.fields["reason"]


@dataclass(frozen=True, slots=True)
class Line:
    """One segment of the list."""

    key: str
    conditions: Sequence[str]
    included_count: int
    excluded_count: int
    uses: Sequence[Use]


def _line(row: FlagSegment, uses: Sequence[Use]) -> Line:
    segment = segment_of(row.key, row.document)
    return Line(
        row.key, [condition_in_words(each) for each in segment.conditions], len(segment.included), len(segment.excluded),
        uses,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@team_page()
def segment_list(request: TeamRequest) -> HttpResponse:
    """All segments of the team, and a new one."""
    form = NewSegmentForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        key = form.cleaned_data["key"]
        try:
            save_segment(
                team=request.team, key=key, said=form.document(), now=clock.now(), by=request.user, is_new=True
            )
        except FlagRefused as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, f"{key} can be named in the rules of flags.")
            return redirect("flag-segments", request.team.slug)
    uses = segment_uses(request.team)
    rows = FlagSegment.objects.filter(team=request.team).order_by("key")[:MOST_SHOWN]
    context = {
        "lines": [_line(row, uses.get(row.key, ())) for row in rows],
        "form": form,
        "can_write": _may_write(request),
    }
    return render(request, "deploys/flag_segments.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@team_page()
def segment_detail(request: TeamRequest, key: str) -> HttpResponse:
    """One segment: who is in it, which flags use it."""
    segment = get_object_or_404(FlagSegment.objects.select_related("team"), team=request.team, key=key)
    uses = segment_uses(request.team).get(key, [])
    form = SegmentForm(request.POST if request.POST.get("act") == "save" else None, initial=_initial(segment))
    if request.method == "POST":
        _needs(request, uses)
        if _acted(request, segment, form):
            return redirect("flag-segments", request.team.slug)
        if not form.is_bound:
            return redirect("flag-segment", request.team.slug, key)
    context = {
        "segment": segment, "line": _line(segment, uses), "form": form,
        "may_change": _may_write(request) and not _closed(request, uses),
    }  # fmt: skip
    return render(request, "deploys/flag_segment.html", context)


def _acted(request: TeamRequest, segment: FlagSegment, form: SegmentForm) -> bool:
    """Does what the pressed button says; whether it was done."""
    act = request.POST.get("act")
    try:
        if act == "delete":
            delete_segment(segment=segment)
            messages.success(request, f"{segment.key} is deleted.")
            return True
        if act != "save":
            raise Http404
        if not form.is_valid():
            return False
        save_segment(
            team=request.team, key=segment.key, said=form.document(), now=clock.now(), by=request.user,
            reason=form.cleaned_data["reason"],
        )  # fmt: skip
    except FlagRefused as error:
        if act == "delete":
            messages.error(request, str(error))
        else:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    messages.success(request, f"{segment.key} is changed, and counts within seconds.")
    return True


def _initial(segment: FlagSegment) -> dict[str, str]:
    """The form's values; a condition a line."""
    said = segment.document
    lines = ",\n  ".join(json.dumps(each, ensure_ascii=False) for each in said["conditions"])
    return {
        "conditions": f"[\n  {lines}\n]" if lines else "",
        "included": "\n".join(said["included"]),
        "excluded": "\n".join(said["excluded"]),
    }


def _may_write(request: TeamRequest) -> bool:
    return RANK[Role(request.membership.role)] >= RANK[Role.RESPONDER]


def _closed(request: TeamRequest, uses: Sequence[Use]) -> str:
    """An environment in which a flag uses the segment, and where the role may not change flags; empty: none."""
    for environment in {use.environment for use in uses}:
        if RANK[Role(request.membership.role)] < RANK[Role(rights_of(environment).write_role)]:
            return environment.name
    return ""


def _needs(request: TeamRequest, uses: Sequence[Use]) -> None:
    if closed := _closed(request, uses):
        raise PermissionDenied(
            f"a flag uses this segment in {closed}, where changing flags needs the role Administrator"
        )
