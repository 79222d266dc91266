"""How services do: what is open on them, and how many users fail, beside as many minutes of an earlier day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from django.db.models import Count, F, Q, Value
from django.db.models.functions import Coalesce, NullIf

from deploys.domain.flag_schedule import ServiceHealth, Windows
from deploys.models import Environment, Service
from incidents.models import ErrorEvent, Incident, IncidentService, Monitor, RequestCount, TrafficCount

LATELY: Final = dt.timedelta(days=7)


def service_health(environment: Environment, services: Sequence[Service], seen: Windows) -> list[ServiceHealth]:
    """One for each service, in their order. Seven queries, however many services.

    Who fails is counted by user, else by session or trace, else by error. Incidents that count and are not restored are open.
    """
    wanted = [each.pk for each in services]
    open_ones: dict[int, list[str]] = defaultdict(list)
    rows = IncidentService.objects.filter(
        service__in=wanted, incident__in=Incident.objects.filter(environment=environment, restored_at=None, is_dismissed=False, duplicate_of=None),
    )  # fmt: skip
    for row in rows.select_related("incident").order_by("incident__begins_at", "incident_id"):
        open_ones[row.service_id].append(f"{row.incident.slug} {row.incident.title}".strip())
    now = _failing(environment, wanted, seen.since, seen.until)
    before = _failing(environment, wanted, seen.before, seen.before_until)
    heard = _heard(environment, wanted, seen.until)
    return [
        ServiceHealth(
            each.name, each.pk in heard, tuple(open_ones[each.pk]), now.get(each.pk, 0), before.get(each.pk, 0)
        )
        for each in services
    ]


def _failing(
    environment: Environment, services: Sequence[int], since: dt.datetime, until: dt.datetime
) -> dict[int, int]:
    who = Coalesce(NullIf("user_key", Value("")), NullIf("trace_key", Value("")), F("event_id"))
    rows = ErrorEvent.objects.filter(
        service__in=services, environment=environment, timestamp__gte=since, timestamp__lt=until
    )
    return dict(rows.values_list("service").annotate(count=Count(who, distinct=True)))


def _heard(environment: Environment, services: Sequence[int], now: dt.datetime) -> set[int]:
    """Those that reported an error, sessions or a trace within a week, or that a monitor asks."""
    since = now - LATELY
    where = Q(service__in=services, environment=environment)
    found = set(Monitor.objects.filter(where, is_active=True).values_list("service", flat=True))
    found |= set(ErrorEvent.objects.filter(where, timestamp__gte=since).values_list("service", flat=True).distinct())
    found |= set(TrafficCount.objects.filter(where, at__gte=since).values_list("service", flat=True).distinct())
    return found | set(
        RequestCount.objects.filter(where, bucket_at__gte=since).values_list("service", flat=True).distinct()
    )
