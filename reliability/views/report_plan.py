"""Which periods are closed as reports, and at which hour."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from deploys.models import Role
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from reliability.actions.report_plan import plan_of, plan_reports
from reliability.addresses import page_url
from reliability.domain.periods import PeriodKind


class PlanForm(PlainForm):
    """What is closed, and when."""

    kinds = forms.MultipleChoiceField(
        label="Close a report of each", choices=[(str(kind), str(kind)) for kind in PeriodKind], widget=forms.CheckboxSelectMultiple
    )  # fmt: skip
    closes_at_hour = forms.IntegerField(
        label="At the hour", min_value=0, max_value=23, help_text="Of the first day after the period, by the clocks of the team's zone. Late facts get until then without a restatement."
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
def report_plan(request: TeamRequest) -> HttpResponse:
    """The form; what is closed already does not change by it."""
    team, plan = request.team, plan_of(request.team)
    form = PlanForm(request.POST or None, initial={"kinds": plan.kinds, "closes_at_hour": plan.closes_at_hour})
    if request.method == "POST" and form.is_valid():
        plan_reports(team=team, **form.cleaned_data)
        messages.success(request, "Periods that end from now on are closed like this. Closed reports stay as they are.")
        return redirect("report-list", team.slug)
    context = {"form": form, "archive_url": page_url("report-list", team.slug), "zone": team.zone}
    return render(request, "reliability/report_plan.html", context, status=422 if form.errors else 200)
