"""Why a change is thought to have caused an incident, for machines."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from deploys.models import Team
from incidents.models import Candidate, Cause, EvidenceLine, Incident, Verdict
from incidents.queries.incident_detail import incident_numbered, verdict_log
from incidents.queries.touched_code import TouchedCode, accused, touched_code

_LOADED = ("change__deploy__release", "change__service", "change__flag_change__flag")


@dataclass(frozen=True, slots=True)
class Why:
    """The verdict in force with its candidates, what was decided, the code it points at, and all verdicts before."""

    incident: Incident
    verdict: Verdict | None
    suspects: Sequence[Candidate]
    causes: Sequence[Cause]
    code: TouchedCode | None
    history: Sequence[Verdict]


def incident_called(*, team: Team, name: str) -> Incident | None:
    """The team's incident of this number, with or without `INC-`, or of this public id. One query at most."""
    number = name.upper().removeprefix("INC-")
    if number.isascii() and number.isdigit() and len(number) < 10:
        try:
            return incident_numbered(team=team, number=int(number))
        except Incident.DoesNotExist:
            return None
    try:
        public_id = uuid.UUID(name)
    except ValueError:
        return None
    return Incident.objects.select_related("team").filter(team=team, public_id=public_id).first()


def why(incident: Incident) -> Why:
    """About nine queries, whatever the number of rows."""
    history = verdict_log(incident)
    verdict = history[0] if history else None
    suspects: list[Candidate] = []
    if verdict is not None:
        suspects = list(
            verdict.candidates.select_related(*_LOADED)
            .prefetch_related(Prefetch("evidence", EvidenceLine.objects.order_by("position")))
            .order_by("rank")
        )
    causes = list(incident.causes.select_related(*_LOADED).order_by("id"))
    return Why(incident, verdict, suspects, causes, touched_code(incident, accused(verdict, causes)), history)
