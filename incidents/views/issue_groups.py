"""Putting issues together and taking them apart."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from deploys import clock
from deploys.models import Role
from deploys.views.access import TeamRequest, team_page
from incidents.actions.issue_groups import GroupingRefused, merge_issues, take_out
from incidents.models import Issue
from incidents.queries.issue_groups import issue_group, mergeable_with
from incidents.views.issues import found_issue


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def issue_merge(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """Choosing the issue that is the same fault; posting merges the two."""
    issue = found_issue(request, public_id)
    if request.method == "POST":
        try:
            issue = merge_issues(one=issue, other=_named(request, "other"), by=request.user, now=clock.now())
        except GroupingRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(
                request, "Merged. Events of both come here from now on; it can be taken apart at any time."
            )
        return redirect("issue-detail", request.team.slug, issue.public_id)
    text = request.GET.get("q", "")[:100]
    context = {"issue": issue, "q": text, "rows": mergeable_with(issue, text)}
    return render(request, "incidents/issue_merge.html", context)


@require_POST
@team_page()
def issue_take_out(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One part stands for itself again, or, with `act` all, every part."""
    whole = found_issue(request, public_id)
    try:
        parts = list(issue_group(whole).parts) if request.POST.get("act") == "all" else [_named(request, "part")]
        left = take_out(whole=whole, parts=parts, by=request.user, now=clock.now())
    except GroupingRefused as refused:
        messages.error(request, str(refused))
        return redirect("issue-detail", request.team.slug, whole.public_id)
    messages.success(request, "Taken apart. Each holds its own events again, also the earlier ones.")
    return redirect("issue-detail", request.team.slug, (left or parts[0]).public_id)


def _named(request: TeamRequest, field: str) -> Issue:
    """The team's issue that the form names, or 404. Raises GroupingRefused where it names none."""
    if not request.POST.get(field):
        raise GroupingRefused("Choose an issue.")
    try:
        return Issue.objects.select_related("service").get(
            service__team=request.team, public_id=uuid.UUID(request.POST.get(field, ""))
        )
    except (ValueError, Issue.DoesNotExist) as error:
        raise Http404 from error
