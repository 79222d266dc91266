"""What reaches us of a service, and of the team: taken, refused, lost, waiting."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET

from deploys import clock
from deploys.domain.instants import floor_hour
from deploys.models import Role, Service
from deploys.queries.addresses import dsn_of
from deploys.views.access import RANK, TeamRequest, team_page
from incidents.charts.intake import intake_by_hour
from incidents.domain.intake import HOUR, Intake, hours_of, intake
from incidents.queries import intake as reads
from incidents.queries.backlog import Waiting
from incidents.queries.storage import instance_size, service_size

SPANS = {"": 24, "week": 168}
WORDS = {"": "24 hours", "week": "seven days"}
#: A worker takes what waits within seconds; a body that is older than this says that none runs.
LATE = dt.timedelta(minutes=1)


@require_GET
@team_page()
def service_ingest(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One service: what its SDKs sent and what became of it, over a day or a week. Nine queries of its own."""
    service = get_object_or_404(Service, team=request.team, public_id=public_id)
    service.team = request.team
    now = clock.now()
    span = request.GET.get("span", "") if request.GET.get("span", "") in SPANS else ""
    ends_at = floor_hour(now) + HOUR
    begins_at = ends_at - SPANS[span] * HOUR
    counted = reads.counted(services=[service.pk], begins_at=begins_at, ends_at=ends_at)[service.pk]
    lost = reads.lost(services=[service.pk], begins_at=begins_at, ends_at=ends_at)[service.pk]
    sums = intake(counted, lost)
    queue = reads.waiting(numbers=[service.number]).get(service.number)
    is_known = service.last_event_at is not None or not sums.is_empty
    hours = hours_of(counted, lost, begins_at=begins_at, ends_at=ends_at)
    context = {
        "service": service,
        "now": now,
        "span": span,
        "spans": WORDS.items(),
        "span_words": WORDS[span],
        "sums": sums,
        "queue": queue,
        "is_late": _is_late(queue, now),
        "dead_count": reads.dead_counts(numbers=[service.number]).get(service.number, 0),
        "is_known": is_known,
        "figure": intake_by_hour(hours=hours, zone=_zone(), now=now) if not sums.is_empty else None,
        "releases": reads.last_heard(service=service) if is_known else (),
        "last_sessions": reads.last_sessions(service=service).items() if is_known else (),
        "size": service_size(service),
        "last_check_in": reads.last_check_in(service=service),
        "dsn": dsn_of(service) if not is_known and _may_set_up(request) else "",
    }
    return render(request, "incidents/service_ingest.html", context)


def _zone() -> ZoneInfo:
    return ZoneInfo(timezone.get_current_timezone_name())


def _may_set_up(request: TeamRequest) -> bool:
    return RANK[Role(request.membership.role)] >= RANK[Role.RESPONDER]


def _is_late(queue: Waiting | None, now: dt.datetime) -> bool:
    return queue is not None and now - queue.oldest_at > LATE


@dataclass(frozen=True, slots=True)
class Health:
    """A service with what reached us of it in the last 24 hours."""

    service: Service
    sums: Intake
    dead_count: int
    queue: Waiting | None
    is_late: bool

    @property
    def is_well(self) -> bool:
        """Heard, and nothing refused, lost, deleted undigested, dead or late."""
        sums = self.sums
        return not (sums.refused_count or sums.lost_count or sums.expired_count or self.dead_count or self.is_late)


def health_of(services: list[Service], *, now: dt.datetime) -> list[Health]:
    """The last 24 hours of these services, in their order. Four queries, whatever their number."""
    ends_at = floor_hour(now) + HOUR
    window = {"begins_at": ends_at - SPANS[""] * HOUR, "ends_at": ends_at}
    keys, numbers = [each.pk for each in services], [each.number for each in services]
    counted, lost = reads.counted(services=keys, **window), reads.lost(services=keys, **window)
    dead, queues = reads.dead_counts(numbers=numbers), reads.waiting(numbers=numbers)
    return [
        Health(
            service=each,
            sums=intake(counted[each.pk], lost[each.pk]),
            dead_count=dead.get(each.number, 0),
            queue=queues.get(each.number),
            is_late=_is_late(queues.get(each.number), now),
        )
        for each in services
    ]


@require_GET
@team_page()
def ingest_overview(request: TeamRequest) -> HttpResponse:
    """All services of the team, those with something wrong first, and how much room the instance takes. Five queries of
    its own, and what the databases are asked about themselves.
    """
    now = clock.now()
    services = list(Service.objects.filter(team=request.team).exclude(retired_at__lte=now).order_by("name"))
    lines = sorted(health_of(services, now=now), key=lambda each: (each.is_well, each.service.name))
    return render(request, "incidents/ingest_overview.html", {"lines": lines, "now": now, "size": instance_size()})


def what_is_heard(request: HttpRequest, service: Service) -> str:
    """A service: one line on what reaches us of it, and a notice while dead letters wait. Four queries."""
    health = health_of([service], now=clock.now())[0]
    context: dict[str, Any] = {"health": health, "service": service}  # Any: template context
    return render_to_string("incidents/panels/what_is_heard.html", context, request=request)
