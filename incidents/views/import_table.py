"""Importing past incidents from a table: paste or upload it, say which column is what, look at what would happen, do it.

The table travels with the form, so nothing is kept of what nobody imported.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.models import Role, Service, Team
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm, ZoneField
from incidents.actions.import_table import Outcome, import_rows, weigh_rows
from incidents.formats.incident_table import TARGETS, NotATable, Reading, Table, guessed_columns, read_rows, read_table
from incidents.models import ImpactClass
from incidents.views.incidents import BAD_INPUT

LONGEST = 1_500_000
SHOWN = 20
DATE_CHOICES = [("iso", "2026-03-31"), ("day", "31.03.2026, 31/03/2026"), ("month", "03/31/2026")]


class TableForm(PlainForm):
    """The table itself."""

    file = forms.FileField(label="A CSV file", required=False, widget=forms.FileInput({"accept": ".csv,.txt,text/csv"}))
    text = forms.CharField(
        label="Or paste it", required=False, strip=False, widget=forms.Textarea({"rows": 8, "spellcheck": "false"}),
        help_text="The first line names the columns. Separated by commas, semicolons or tabs: a copied spreadsheet will do.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:  # Any: cleaned values
        """The text, from wherever it came."""
        data = super().clean() or self.cleaned_data
        file = data.get("file")
        if file is not None:
            if file.size > LONGEST:
                raise forms.ValidationError(f"A table has at most {LONGEST // 1000:,} kB here: cut it in two.")
            data["text"] = _decoded(file.read())
        if len(data.get("text", "")) > LONGEST:
            raise forms.ValidationError(f"A table has at most {LONGEST // 1000:,} kB here: cut it in two.")
        try:
            data["table"] = read_table(data.get("text", ""))
        except NotATable as problem:
            raise forms.ValidationError(str(problem)) from problem
        return data


def _decoded(raw: bytes) -> str:
    """UTF-8, else the Latin letters that spreadsheets of the West write."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


class MappingForm(PlainForm):
    """Which column is what, and what to take where a row says nothing."""

    zone = ZoneField(label="Times without an offset are of")
    dates = forms.ChoiceField(label="Days are written", choices=DATE_CHOICES)
    default_class = forms.ChoiceField(
        label="Class of rows that name none of ours", required=False,
        choices=[("", "refuse them"), *ImpactClass.choices],
    )  # fmt: skip
    default_service = forms.ModelChoiceField(
        label="Service of rows that name none", required=False, queryset=Service.objects.none(), to_field_name="name",
        empty_label="refuse them",
    )  # fmt: skip

    def __init__(self, *args: Any, team: Team, table: Table, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        services: Any = self.fields["default_service"]  # Any: a field knows its own attributes only
        services.queryset = Service.objects.filter(team=team, retired_at=None).order_by("name")
        choices = [("", "nothing of it"), *((target.key, target.words) for target in TARGETS)]
        for place, name in enumerate(table.header):
            self.fields[f"column{place}"] = forms.ChoiceField(
                label=name or f"column {place + 1}", choices=choices, required=False,
                widget=forms.Select({"class": "input"}),
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:  # Any: cleaned values
        """No two columns are the same thing."""
        data = super().clean() or self.cleaned_data
        keys = [data[name] for name in data if name.startswith("column") and data[name]]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            raise forms.ValidationError(f"Two columns are called {key.removesuffix('_at')}: choose one.")
        return data

    def reading(self, table: Table) -> Reading:
        """What was chosen."""
        data = self.cleaned_data
        service = data["default_service"]
        return Reading(
            columns=tuple(data[f"column{place}"] for place in range(len(table.header))),
            zone=ZoneInfo(data["zone"]), dates=data["dates"], default_class=data["default_class"],
            default_service=service.name if service else "",
        )  # fmt: skip


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_import(request: TeamRequest) -> HttpResponse:
    """All four steps; `act` says which: nothing (the table), look (the dry run), import."""
    if request.method == "GET":
        return render(request, "incidents/import.html", {"table_form": TableForm()})
    table_form = TableForm(request.POST, request.FILES)
    if not table_form.is_valid():
        return render(request, "incidents/import.html", {"table_form": table_form}, status=BAD_INPUT)
    table: Table = table_form.cleaned_data["table"]
    act = request.POST.get("act", "")
    initial = {f"column{place}": key for place, key in enumerate(guessed_columns(table.header))}
    initial |= {"zone": timezone.get_current_timezone_name(), "dates": "iso"}
    form = MappingForm(request.POST if act else None, team=request.team, table=table, initial=initial)
    if not act or not form.is_valid():
        return _mapping(request, table_form, form, table, None, status=BAD_INPUT if act else 200)
    rows = read_rows(table, form.reading(table))
    if act != "import":
        return _mapping(request, table_form, form, table, weigh_rows(team=request.team, rows=rows, now=clock.now()))
    done = import_rows(team=request.team, rows=rows, by=request.user, now=clock.now())
    messages.success(
        request,
        f"{len(done.new)} new, {len(done.changed)} changed, {len(done.known)} known already, {len(done.refused)} refused.",
    )
    return redirect("incident-list", request.team.slug)


def _mapping(
    request: TeamRequest,
    table_form: TableForm,
    form: MappingForm,
    table: Table,
    outcome: Outcome | None,
    *,
    status: int = 200,
) -> HttpResponse:
    columns = [
        (
            form[f"column{place}"],
            next((cells[place] for _, cells in table.rows if place < len(cells) and cells[place]), ""),
        )
        for place in range(len(table.header))
    ]
    context = {
        "form": form,
        "text": table_form.cleaned_data["text"],
        "columns": columns,
        "others": [form[name] for name in ("zone", "dates", "default_class", "default_service")],
        "rows_count": len(table.rows),
        "outcome": outcome,
        "shown": [*outcome.new, *outcome.changed][:SHOWN] if outcome else [],
        "refused": outcome.refused[:SHOWN] if outcome else [],
    }
    return render(request, "incidents/import_mapping.html", context, status=status)
