"""What incidents say of changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import F, QuerySet

from deploys.domain.change_links import ChangeLinks
from deploys.domain.environments import tier
from deploys.models import Change, Policy, Service, Team
from incidents.models import Cause, Incident, Remedy
from incidents.queries.incidents import with_services_and_causes

CHUNK = 500
_COUNTS = {"incident__is_dismissed": False, "incident__duplicate_of": None}


def change_links(team: Team, change_ids: Sequence[int]) -> ChangeLinks:
    """Which of these changes ended a counted incident, and when the harm laid at the others began.

    Counted are incidents in the policy's environment that are no false alarms and no duplicates; a link counts when a
    person or the model has confirmed it and the change began no later than the impact. Three queries.
    """
    policy = Policy.objects.filter(team=team).values_list("environment", flat=True).first() or "production"
    wanted_tier = tier(policy)
    wanted = set(change_ids)
    remedies: set[int] = set()
    harm: dict[int, dt.datetime] = {}
    ended = Remedy.objects.filter(incident__team=team, change__isnull=False, **_COUNTS)
    blamed = Cause.objects.filter(
        incident__team=team,
        status=Cause.Status.CONFIRMED,
        change__at__lte=F("incident__begins_at"),
        **_COUNTS,
    )
    if len(wanted) <= CHUNK:  # beyond, the team's links are fewer than the changes: one query is cheaper than many
        ended, blamed = ended.filter(change__in=wanted), blamed.filter(change__in=wanted)
    for change_id, name in ended.values_list("change_id", "incident__environment__name"):
        if change_id in wanted and tier(name) == wanted_tier:
            remedies.add(change_id)
    for change_id, at, name in blamed.values_list("change_id", "incident__begins_at", "incident__environment__name"):
        if change_id in wanted and tier(name) == wanted_tier:
            harm[change_id] = min(at, harm.get(change_id, at))
    return ChangeLinks(frozenset(remedies), harm)


def links_of_change(change: Change, *, most: int = 20) -> list[Cause]:
    """Links that lay an incident at this change and were not rejected, newest incident first. One query."""
    rows = Cause.objects.filter(change=change, incident__team=change.team_id).exclude(status=Cause.Status.REJECTED)
    return list(rows.select_related("incident").order_by("-incident__begins_at", "-incident__pk")[:most])


def incidents_of_service(service: Service, *, is_open: bool, most: int) -> list[Incident]:
    """The service's incidents that count, open or all, newest first. Three queries."""
    rows: QuerySet[Incident] = Incident.objects.filter(
        incident_services__service=service, team=service.team_id, is_dismissed=False, duplicate_of=None
    )
    if is_open:
        rows = rows.filter(restored_at=None)
    return list(with_services_and_causes(rows).order_by("-begins_at", "-pk")[:most])
