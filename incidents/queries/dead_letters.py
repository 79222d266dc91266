"""Dead letters of a team. They may lie in another database, so they are found by project number and never joined."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from deploys.models import Service, Team
from incidents.models import DeadLetter, DeadLetterAct

MOST_ACTS = 5


def services_by_number(team: Team) -> dict[int, Service]:
    """The team's services by the number their DSN names. One query."""
    return {service.number: service for service in Service.objects.filter(team=team).order_by("name")}


def letters_of(numbers: Collection[int]) -> QuerySet[DeadLetter]:
    """Letters of these projects."""
    return DeadLetter.objects.filter(project__in=numbers)


def orphans() -> QuerySet[DeadLetter]:
    """Letters of projects that no service has any more: nobody's but the instance's. One query for the numbers."""
    numbers = DeadLetter.objects.values_list("project", flat=True).distinct().order_by()
    told = set(numbers)
    known = set(Service.objects.filter(number__in=told).values_list("number", flat=True))
    return DeadLetter.objects.filter(project__in=told - known)


def last_acts(team: Team | None) -> list[DeadLetterAct]:
    """The last decisions with who made them, newest first. One query."""
    return list(DeadLetterAct.objects.filter(team=team).select_related("by").order_by("-at", "-pk")[:MOST_ACTS])
