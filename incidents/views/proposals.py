"""Incidents that the machine proposes and a person has not answered yet."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from deploys import clock
from deploys.domain.instants import NotAnInstant, optional_instant
from deploys.models import Change
from deploys.views.access import TeamRequest, team_page
from incidents.actions import proposals
from incidents.models import Proposal
from incidents.views.incidents import can_write
from incidents.views.naming import named_change

SHOWN = 50


@dataclass(frozen=True, slots=True)
class DrawnProposal:
    """One proposal as the page shows it."""

    pk: int
    title: str
    impact_class: str
    services: str
    began_at: Any  # an instant or None
    ended_at: Any  # an instant or None
    events_count: int
    suspect: str
    odds: float | None


@require_GET
@team_page()
def proposal_list(request: TeamRequest) -> HttpResponse:
    """What waits for an answer, the oldest trouble last."""
    waiting = Proposal.objects.filter(team=request.team, state=Proposal.State.WAITING).order_by("-created_at", "-pk")
    rows = list(waiting[:SHOWN])
    best = {row.pk: _best(row.verdict) for row in rows}
    ids = [uid for each in best.values() if (uid := _uuid(each.get("change"))) is not None]
    changes = Change.objects.filter(team=request.team, public_id__in=ids).select_related(
        "deploy__release", "service", "flag_change__flag"
    )
    names = {str(change.public_id): named_change(change, request.team.slug).name for change in changes}
    context = {
        "rows": [drawn(row, best[row.pk], names) for row in rows],
        "total": waiting.count(),
        "can_write": can_write(request),
        "opens_by_itself": request.team.auto_open,
    }
    return render(request, "incidents/proposals.html", context)


def _uuid(value: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return None


def _best(verdict: Any) -> Mapping[str, Any]:  # Any: JSON
    """The likeliest candidate of a kept verdict."""
    candidates = verdict.get("candidates") if isinstance(verdict, dict) else None
    first = candidates[0] if isinstance(candidates, list) and candidates else {}
    return first if isinstance(first, dict) else {}


def drawn(proposal: Proposal, best: Mapping[str, Any], names: Mapping[str, str]) -> DrawnProposal:  # Any: JSON
    """The proposal in words."""
    payload = proposal.payload
    suspect = ""
    if best:
        change = best.get("change")
        suspect = names.get(str(change), "a change that is gone") if change else "no change"
    return DrawnProposal(
        pk=proposal.pk,
        title=str(payload.get("title") or "no title"),
        impact_class=str(payload.get("class") or ""),
        services=", ".join(str(name) for name in payload.get("services") or ()),
        began_at=_instant(payload.get("started_at")),
        ended_at=_instant(payload.get("restored_at")),
        events_count=int(payload.get("events") or 0),
        suspect=suspect,
        odds=best.get("probability"),
    )


def _instant(value: object) -> Any:  # Any: an instant or None
    try:
        return optional_instant(value)
    except NotAnInstant:
        return None


@require_POST
@team_page()
def proposal_answer(request: TeamRequest, number: int) -> HttpResponse:
    """Accepting or rejecting one."""
    proposal = Proposal.objects.filter(team=request.team, pk=number).first()
    act = request.POST.get("act")
    if proposal is None or act not in {"accept", "reject"}:
        raise Http404
    try:
        if act == "accept":
            incident = proposals.accept(proposal=proposal, by=request.user, now=clock.now())
            messages.success(request, f"{incident.slug} is open and counts.")
            return redirect("incident-detail", request.team.slug, incident.number)
        proposals.reject(proposal=proposal, by=request.user, now=clock.now())
        messages.success(request, "Rejected. It will not be proposed again.")
    except (proposals.AnsweredAlready, proposals.NoEvidence) as refused:
        messages.error(request, str(refused))
    return redirect("proposal-list", request.team.slug)
