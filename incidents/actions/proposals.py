"""Proposals: what the machine would open in a team that wants to be asked first. They count nowhere until accepted."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from deploys.models import User
from incidents.actions import attribution as attributing
from incidents.actions.findings import finding_of
from incidents.actions.incidents import Finding, Written, write
from incidents.domain import attribution
from incidents.models import Episode, Incident, Proposal
from incidents.queries.evidence import Lens, instant


class AnsweredAlready(ValueError):
    """A proposal that somebody has accepted or rejected before."""


class NoEvidence(ValueError):
    """A proposal whose symptoms are gone."""


def propose(*, lens: Lens, finding: Finding) -> Proposal | None:
    """Make or refresh the proposal for these symptoms; None when a person has answered it already."""
    first = min(finding.rows, key=lambda row: (row.started_at, row.pk))
    known = Proposal.objects.filter(team=lens.team, key__in=[_key(row) for row in finding.rows]).order_by("pk").first()
    if known is not None and known.state != Proposal.State.WAITING:
        return None
    verdict = attribution.attribute(attributing.case_of(lens=lens, incident=None, finding=finding))
    values: dict[str, Any] = {"payload": _payload(finding), "verdict": _verdict(verdict)}  # Any: JSON
    if known is not None:
        Proposal.objects.filter(pk=known.pk).update(**values)
        return Proposal.objects.get(pk=known.pk)
    return Proposal.objects.create(team=lens.team, key=_key(first), created_at=lens.now, **values)


def _key(row: Episode) -> str:
    return f"episode:{row.pk}"


def _payload(finding: Finding) -> dict[str, Any]:  # Any: JSON
    restored_at = finding.restored_at
    return {
        "title": finding.title,
        "services": list(finding.group.services),
        "class": finding.impact_class.name,
        "started_at": instant(finding.group.start).isoformat(),
        "restored_at": instant(restored_at).isoformat() if restored_at is not None else None,
        "events": finding.events,
        "episodes": [row.pk for row in finding.rows],
    }


def _verdict(verdict: attribution.Verdict) -> dict[str, Any]:  # Any: JSON
    return {
        "outcome": verdict.outcome,
        "candidates": [
            {
                "change": w.change.id if w.change else None,
                "probability": round(w.probability, 4),
                "lines": [line.sentence for line in w.lines[:6]],
            }
            for w in verdict.ranked[:5]
        ],
    }


@transaction.atomic
def accept(*, proposal: Proposal, by: User | None, now: dt.datetime) -> Incident:
    """Open the incident that was proposed, from its symptoms as they stand now. Raises AnsweredAlready, and NoEvidence
    where better knowledge has dissolved them.
    """
    waiting = Proposal.objects.select_for_update().select_related("team").get(pk=proposal.pk)
    if waiting.state != Proposal.State.WAITING:
        raise AnsweredAlready("This proposal has been answered already.")
    lens = Lens(team=waiting.team, now=now)
    finding = finding_of(lens, waiting.payload.get("episodes", []))
    if finding is None:
        raise NoEvidence("Nothing is left of what was proposed.")
    written: Written = write(lens=lens, finding=finding, incident=None)
    attributing.attribute(lens=lens, incident=written.incident, finding=finding, trigger="accepted")
    Proposal.objects.filter(pk=waiting.pk).update(
        state=Proposal.State.ACCEPTED, incident=written.incident, answered_at=now, answered_by=by
    )
    return Incident.objects.select_related("team", "environment").get(pk=written.incident.pk)


@transaction.atomic
def reject(*, proposal: Proposal, by: User | None, now: dt.datetime) -> None:
    """Not an incident. Raises AnsweredAlready."""
    waiting = Proposal.objects.filter(pk=proposal.pk, state=Proposal.State.WAITING)
    if not waiting.update(state=Proposal.State.REJECTED, answered_at=now, answered_by=by):
        raise AnsweredAlready("This proposal has been answered already.")
