"""Pages of issues: the list, one issue, and what people decide about it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from deploys import clock
from deploys.charts.figures import Figure, ReleaseCounts
from deploys.charts.figures import errors_by_release as errors_figure
from deploys.models import Team
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from incidents.actions.digest import payload_of
from incidents.actions.issues import IssueRefused, assign_issue, ignore_issue, reopen_issue, resolve_issue
from incidents.domain.cursors import read_cursor
from incidents.formats.shown_event import shown_event
from incidents.models import Issue
from incidents.queries.error_counts import BUCKET, errors_by_release, floor_bucket, hourly_counts
from incidents.queries.issue_groups import issue_group
from incidents.queries.issues import IssueFilter, issue_detail, issue_page, last_event
from incidents.views.forms import AssignForm, offer_services, service_field
from incidents.views.incidents import can_write

CHART_SPAN = dt.timedelta(hours=24)


class IssueFilterForm(PlainForm):
    """The filter above the list. An unknown value narrows nothing."""

    q = forms.CharField(label="Text", required=False, max_length=100, widget=forms.TextInput({"type": "search"}))
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "open"), ("resolved", "resolved"), ("ignored", "ignored"), ("all", "everything")],
    )
    service = service_field()
    release = forms.CharField(label="Release", required=False, max_length=250)

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        offer_services(self, team)

    @property
    def wanted(self) -> IssueFilter:
        """The filter as far as it is understood."""
        self.is_valid()
        data = self.cleaned_data
        return IssueFilter(
            status=data.get("status", ""),
            service=data.get("service"),
            release=data.get("release", ""),
            text=data.get("q", ""),
        )


def found_issue(request: TeamRequest, public_id: uuid.UUID) -> Issue:
    """The team's issue of this id, or the one it was merged into; else 404."""
    rows = Issue.objects.select_related("service", "assignee", "merged_into__service", "merged_into__assignee")
    try:
        issue = rows.get(service__team=request.team, public_id=public_id)
    except Issue.DoesNotExist as error:
        raise Http404 from error
    return issue.merged_into or issue


@require_GET
@team_page()
def issue_list(request: TeamRequest) -> HttpResponse:
    """Issues of the team, last seen first, narrowed by the query string."""
    form = IssueFilterForm(request.GET, team=request.team)
    wanted = form.wanted
    page = issue_page(team=request.team, wanted=wanted, after=read_cursor(request.GET.get("after", "")))
    hours = hourly_counts(issues=[issue.pk for issue in page.issues], now=clock.now())
    context = {
        "form": form,
        "rows": [(issue, hours[issue.pk], sum(hours[issue.pk])) for issue in page.issues],
        "next_cursor": page.next_cursor,
        "is_first_page": not request.GET.get("after"),
        "is_narrow": wanted.is_narrow,
        "can_write": can_write(request),
    }
    return render(request, "incidents/issue_list.html", context)


@require_GET
@team_page()
def issue_page_view(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One issue with its newest event, or the one that `?event=` names."""
    issue = found_issue(request, public_id)
    if issue.public_id != public_id:  # it is part of another one now
        return redirect("issue-detail", request.team.slug, issue.public_id)
    event = last_event(issue, request.GET.get("event", "")[:32])
    if event is None and request.GET.get("event"):
        raise Http404
    context = {
        "issue": issue,
        "detail": issue_detail(issue),
        "group": issue_group(issue),
        "event": event,
        "report": shown_event(payload_of(event)) if event else None,
        "figure": issue_chart(issue, now=clock.now()),
        "assign_form": AssignForm(team=request.team, initial={"assignee": issue.assignee_id}),
        "can_write": can_write(request),
    }
    return render(request, "incidents/issue_detail.html", context)


def issue_chart(issue: Issue, *, now: dt.datetime) -> Figure | None:
    """Errors of the issue by release in the 24 hours up to when it was last seen. None where there was none."""
    ends_at = floor_bucket(min(now, issue.last_seen_at)) + BUCKET
    step = 6 * BUCKET
    begins_at = ends_at - CHART_SPAN
    series = errors_by_release(begins_at=begins_at, ends_at=ends_at, step=step, issues=[issue.pk])
    if not series:
        return None
    return errors_figure(
        begins_at=begins_at,
        step=step,
        releases=[ReleaseCounts(each.release, each.counts) for each in series],
        zone=ZoneInfo(timezone.get_current_timezone_name()),
        is_last_open=ends_at > now,
    )


@require_POST
@team_page()
def issue_state(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """A word about the issue: `act` is resolve, ignore or reopen."""
    issue = found_issue(request, public_id)
    match request.POST.get("act"):
        case "resolve":
            resolve_issue(issue=issue, now=clock.now(), in_release=request.POST.get("release", ""))
            messages.success(request, "Resolved. It opens again if it happens again.")
        case "ignore":
            ignore_issue(issue=issue)
            messages.success(request, "Ignored. It is counted, but opens no incident.")
        case "reopen":
            reopen_issue(issue=issue)
            messages.success(request, "Open again.")
        case _:
            raise Http404
    return redirect("issue-detail", request.team.slug, issue.public_id)


@require_POST
@team_page()
def issue_assign(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """Who looks after it."""
    issue = found_issue(request, public_id)
    form = AssignForm(request.POST, team=request.team)
    try:
        if not form.is_valid():
            raise IssueRefused("Choose a member of this team.")
        assign_issue(issue=issue, to=form.cleaned_data["assignee"])
    except IssueRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "Saved.")
    return redirect("issue-detail", request.team.slug, issue.public_id)
