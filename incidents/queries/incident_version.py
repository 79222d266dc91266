"""Whether anything on the page of an incident is new, without making the page."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db.models import Max, Model, OuterRef, Subquery

from deploys.models import Change
from incidents.domain.clocks import Clock
from incidents.models import Cause, Episode, ImpactSpell, Incident, IncidentIssue, Remedy, RoleHolder, Verdict
from incidents.queries.incident_detail import NEARBY_BEFORE


def incident_version(incident: Incident) -> str:
    """A short text that is another one whenever what is shown of the incident is. Three queries.

    Told from its own row, its story, its verdicts, what was said of causes and symptoms, and the last change around it.
    """
    seen = incident.timeline.aggregate(last=Max("pk"))["last"]
    told = Incident.objects.filter(pk=incident.pk).values_list(*_latest())[0]
    change = Change.objects.filter(team=incident.team_id, at__gte=incident.begins_at - NEARBY_BEFORE).aggregate(
        last=Max("pk")
    )["last"]
    row = (
        incident.title, incident.impact_class, incident.class_note, incident.degradation, incident.events_count,
        incident.users_count, incident.is_dismissed, incident.duplicate_of_id, incident.lead_id, incident.severity,
        incident.ended_by, *(getattr(incident, clock.value) for clock in Clock),
    )  # fmt: skip
    parts = [_text(each) for each in (*row, seen, *told, change)]
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).hexdigest()


def _latest() -> list[Subquery]:
    """The newest of each sort of row: subqueries, because joins would multiply each sort by the others."""
    asked: tuple[tuple[type[Model], str], ...] = (
        (Verdict, "number"), (Cause, "pk"), (Remedy, "pk"), (IncidentIssue, "pk"), (ImpactSpell, "pk"),
        (RoleHolder, "since_at"), (Episode, "last_at"), (Episode, "ended_at"),
    )  # fmt: skip
    found = []
    for model, column in asked:
        rows = model._default_manager.filter(incident=OuterRef("pk")).exclude(**{column: None}).order_by(f"-{column}")
        found.append(Subquery(rows.values(column)[:1]))
    return found


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
