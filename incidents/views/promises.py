"""Action items: what was promised after incidents, and what became of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from deploys import clock
from deploys.views.access import TeamRequest, team_page
from incidents.actions import retrospectives
from incidents.domain.promises import ItemState, is_overdue
from incidents.models import ActionItem
from incidents.queries.promises import LISTS, action_items, today_of
from incidents.views.incidents import BAD_INPUT, can_write
from incidents.views.retrospectives import ItemForm

WORDS = {"open": "Open", "overdue": "Overdue", "mine": "Mine", "done": "Done, dropped", "all": "All"}
ACTS = {
    "done": (ItemState.DONE, "Done."),
    "drop": (ItemState.DROPPED, "Dropped."),
    "reopen": (ItemState.OPEN, "Open again."),
}


@require_GET
@team_page()
def action_item_list(request: TeamRequest) -> HttpResponse:
    """The team's promises, narrowed by `show`."""
    which = request.GET.get("show", "open")
    which = which if which in LISTS else "open"
    now = clock.now()
    today = today_of(request.team, now)
    rows = [
        (item, is_overdue(state=item.state, due_on=item.due_on, today=today))
        for item in action_items(team=request.team, which=which, me=request.user, now=now)
    ]
    context = {"rows": rows, "which": which, "lists": [(each, WORDS[each]) for each in LISTS]}
    return render(request, "incidents/action_items.html", context)


@require_http_methods(["GET", "POST"])
@team_page()
def action_item(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One promise: `act` says it is done, dropped or open again; without one the form changes it."""
    item = _found(request, public_id)
    act = request.POST.get("act", "")
    if request.method == "POST" and act in ACTS:
        state, words = ACTS[act]
        retrospectives.end_item(item=item, state=state, by=request.user, now=clock.now())
        messages.success(request, words)
        return redirect("action-item", request.team.slug, item.public_id)
    initial = {"title": item.title, "owner": item.owner_id, "due_on": item.due_on}
    form = ItemForm(request.POST if request.method == "POST" else None, team=request.team, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            retrospectives.change_item(item=item, by=request.user, now=clock.now(), **form.cleaned_data)
        except retrospectives.ItemRefused as refused:
            form.add_error("title", str(refused))
        else:
            messages.success(request, "Saved.")
            return redirect("action-item", request.team.slug, item.public_id)
    late = is_overdue(state=item.state, due_on=item.due_on, today=today_of(request.team, clock.now()))
    context: dict[str, Any] = {
        "item": item,
        "incident": item.incident,
        "form": form,
        "is_late": late,
        "can_write": can_write(request),
    }  # Any: context
    return render(request, "incidents/action_item.html", context, status=BAD_INPUT if form.errors else 200)


def _found(request: TeamRequest, public_id: uuid.UUID) -> ActionItem:
    try:
        return ActionItem.objects.select_related("team", "incident", "owner", "created_by", "ended_by").get(
            team=request.team, public_id=public_id
        )
    except ActionItem.DoesNotExist as error:
        raise Http404 from error
