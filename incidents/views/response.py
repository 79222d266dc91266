"""Who does what in an incident, when it hurt, what else ended it, and what of it was another incident."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.models import Role, Team, User
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from incidents.actions import merging, response
from incidents.actions.states import StateRefused
from incidents.domain.clocks import ClockRefused
from incidents.domain.impact_spells import SpellsRefused
from incidents.domain.incident_record import Spell
from incidents.domain.response import Ending, ResponseRole
from incidents.models import Incident
from incidents.views.forms import InstantField, PersonField, to_second
from incidents.views.incident_acts import back
from incidents.views.incidents import BAD_INPUT, found

FREE_ROWS = 3


class RolesForm(PlainForm):
    """Who holds which role."""

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        people = User.objects.filter(memberships__team=team).order_by("first_name", "last_name", "email")
        super().__init__(*args, **kwargs)
        for role in ResponseRole:
            field = PersonField(
                label=role.words.capitalize(),
                help_text=role.duty,
                required=False,
                queryset=people,
                empty_label="nobody",
            )
            field.widget.attrs["class"] = "input"
            self.fields[role.value] = field
        self.fields["note"] = forms.CharField(
            label="What they should know", required=False, max_length=300, widget=forms.TextInput({"class": "input"}),
            help_text="Stands in the timeline beside each hand-over.",
        )  # fmt: skip

    @property
    def roles(self) -> dict[ResponseRole, User | None]:
        """Every role with its holder."""
        return {role: self.cleaned_data[role.value] for role in ResponseRole}


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_roles(request: TeamRequest, number: int) -> HttpResponse:
    """Handing roles over."""
    incident = found(request, number)
    held = {row.role: row.person_id for row in incident.role_holders.all()} | {
        ResponseRole.LEAD.value: incident.lead_id
    }
    form = RolesForm(request.POST or None, team=request.team, initial=held)
    if request.method == "POST" and form.is_valid():
        try:
            response.hand_over(
                incident=incident, roles=form.roles, by=request.user, now=clock.now(), note=form.cleaned_data["note"]
            )
        except response.ResponseRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Saved. Who held a role before stands in the timeline.")
            return back(request, incident)
    return _page(request, incident, form, "incidents/roles.html")


def _page(
    request: TeamRequest, incident: Incident, form: forms.Form, name: str, **more: Any
) -> HttpResponse:  # Any: context
    return render(request, name, {"incident": incident, "form": form, **more}, status=BAD_INPUT if form.errors else 200)


class SpellForm(PlainForm):
    """One spell of impact; left empty, it is none."""

    from_at = InstantField(label="From", required=False)
    to_at = InstantField(label="To", required=False)
    lost_percent = forms.FloatField(label="Share lost, %", required=False, min_value=0, max_value=100)

    def clean(self) -> dict[str, Any]:  # Any: cleaned values
        """Refuses a spell that has an end or a share, but no beginning."""
        data = super().clean() or self.cleaned_data
        told = data.get("to_at") is not None or data.get("lost_percent") is not None
        if told and data.get("from_at") is None and "from_at" not in self.errors:
            self.add_error("from_at", "Say when it began.")
        return data


SpellForms = forms.formset_factory(SpellForm, extra=FREE_ROWS, max_num=53, validate_max=True)


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_spells(request: TeamRequest, number: int) -> HttpResponse:
    """The times in which it hurt, and how much."""
    incident = found(request, number)
    told = list(incident.impact_spells.order_by("from_at", "pk"))
    initial = [
        {
            "from_at": to_second(row.from_at),
            "to_at": to_second(row.to_at),
            "lost_percent": None if row.degradation is None else round(row.degradation * 100, 3),
        }
        for row in told
    ]
    rows = SpellForms(request.POST or None, initial=initial, prefix="spell")
    problem = ""
    if request.method == "POST" and rows.is_valid():
        try:
            response.set_spells(
                incident=incident, spells=_spells(rows, told), by=request.user, now=clock.now(),
                reason=request.POST.get("reason", ""),
            )  # fmt: skip
        except SpellsRefused as refused:
            problem = str(refused)
        else:
            messages.success(request, "Saved. The machine will not change them.")
            return back(request, incident)
    is_bad = bool(problem) or (request.method == "POST" and not rows.is_valid())
    context = {"incident": incident, "rows": rows, "problem": problem, "zone": timezone.get_current_timezone_name()}
    return render(request, "incidents/spells.html", context, status=BAD_INPUT if is_bad else 200)


def _spells(rows: Any, told: Sequence[Any]) -> list[Spell]:  # Any: a formset, rows
    """What was typed; an instant that stands as the page showed it keeps its fraction of a second."""
    exact = {to_second(at): at for row in told for at in (row.from_at, row.to_at) if at is not None}
    found: list[Spell] = []
    for form in rows:
        data = form.cleaned_data
        if not data or data.get("from_at") is None:
            continue
        share = data.get("lost_percent")
        to_at: dt.datetime | None = data.get("to_at")
        found.append(
            Spell(
                exact.get(data["from_at"], data["from_at"]),
                None if to_at is None else exact.get(to_at, to_at),
                None if share is None else share / 100,
            )
        )
    return found


class EndingForm(PlainForm):
    """What ended it, where no change did."""

    ending = forms.ChoiceField(
        label="What ended it", choices=[(each.value, each.words) for each in Ending], required=False
    )
    note = forms.CharField(label="In a few words", required=False, max_length=300)
    at = InstantField(label="Users are no longer hit since", required=False)

    def __init__(self, *args: Any, is_open: bool, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        if not is_open:
            del self.fields["at"]
        else:
            zone = timezone.get_current_timezone_name()
            self.fields["at"].help_text = f"Sets the clock restored. Empty: it is not over. Time in {zone}."


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_ending(request: TeamRequest, number: int) -> HttpResponse:
    """What ended it, if no change that is known here did."""
    incident = found(request, number)
    is_open = incident.restored_at is None
    initial = {"ending": incident.ended_by, "note": incident.ended_note, "at": to_second(clock.now())}
    form = EndingForm(request.POST or None, is_open=is_open, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            response.end_otherwise(
                incident=incident, ending=Ending(form.cleaned_data["ending"]), note=form.cleaned_data["note"],
                at=form.cleaned_data.get("at"), by=request.user, now=clock.now(),
            )  # fmt: skip
        except ClockRefused as refused:
            form.add_error("at" if is_open else None, str(refused))
        else:
            messages.success(request, "Noted.")
            return back(request, incident)
    return _page(request, incident, form, "incidents/ending.html")


class SplitForm(PlainForm):
    """Which issues were something else, and what that is called."""

    title = forms.CharField(label="What was the other thing?", max_length=300)
    issues = forms.MultipleChoiceField(label="Issues that belong to it", widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        links = incident.incident_issues.select_related("issue__service").order_by("-issue__events_count", "pk")
        choices: Any = self.fields["issues"]  # Any: a field knows its own attributes only
        choices.choices = [
            (str(link.issue_id), f"{link.issue.title} ({link.issue.service.name})") for link in links[:100]
        ]


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_split(request: TeamRequest, number: int) -> HttpResponse:
    """Taking issues out into an incident of their own."""
    incident = found(request, number)
    form = SplitForm(request.POST or None, incident=incident)
    if request.method == "POST" and form.is_valid():
        try:
            fresh = merging.split(
                incident=incident, issues=[int(each) for each in form.cleaned_data["issues"]],
                title=form.cleaned_data["title"], by=request.user, now=clock.now(),
            )  # fmt: skip
        except StateRefused as refused:
            form.add_error("issues", str(refused))
        except ClockRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{fresh.slug} is an incident of its own. The machine keeps the two apart.")
            return redirect("incident-detail", request.team.slug, fresh.number)
    return _page(request, incident, form, "incidents/split.html")
