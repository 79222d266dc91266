"""What people look for: an incident, an issue, a release, a service, a flag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from deploys.models import Deploy, Flag, Service, Team
from incidents.models import Incident, Issue
from incidents.queries.search import matching

MOST = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What matches a text, ten of each sort, newest first."""

    incidents: Sequence[Incident]
    issues: Sequence[Issue]
    deploys: Sequence[Deploy]
    services: Sequence[Service]
    flags: Sequence[Flag]

    @property
    def is_empty(self) -> bool:
        """Whether nothing matches."""
        return not (self.incidents or self.issues or self.deploys or self.services or self.flags)


def found(*, team: Team, text: str) -> Found:
    """Everything of the team whose name holds the text, and incidents people wrote its words about. Five queries; nothing for an empty text."""
    if not text:
        return Found((), (), (), (), ())
    deploys = Deploy.objects.filter(team=team).filter(
        Q(release__version__icontains=text) | Q(service__name__icontains=text)
    )
    return Found(
        incidents=list(matching(Incident.objects.filter(team=team), text).order_by("-begins_at", "-pk")[:MOST]),
        issues=list(
            Issue.objects.filter(service__team=team, merged_into=None)
            .filter(Q(title__icontains=text) | Q(culprit__icontains=text))
            .select_related("service")
            .order_by("-last_seen_at", "-pk")[:MOST]
        ),
        deploys=list(deploys.select_related("change", "service", "release").order_by("-started_at", "-pk")[:MOST]),
        services=list(Service.objects.filter(team=team, name__icontains=text).order_by("name")[:MOST]),
        flags=list(Flag.objects.filter(team=team, key__icontains=text).order_by("key")[:MOST]),
    )


def numbered(*, team: Team, text: str) -> int | None:
    """The number of the incident that a text like INC-12 or 12 names, if there is one."""
    number = text.upper().removeprefix("INC-").strip()
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    return Incident.objects.filter(team=team, number=int(number)).values_list("number", flat=True).first()
