"""Releases in errors and sessions, beside what was deployed: what drift is told from. Counts only, never events."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from django.db.models import Max, Min, QuerySet, Sum

from deploys.models import Deploy, Service
from deploys.queries.changes import deploy_timeout
from incidents.domain.drift import Drift, Recorded, Sighting, drift_of
from incidents.models import IssueCount, ReleaseSighting, TrafficCount

WINDOW: Final = dt.timedelta(hours=1)
BACK: Final = dt.timedelta(days=30)
"""Deploys older than this explain a release only if they are the last one of their service and environment."""
MOST_DEPLOYS: Final = 200


class Place(NamedTuple):
    """A service in an environment, by their keys."""

    service_id: int
    environment_id: int


class Lately(NamedTuple):
    """A release in the window: how often it was seen, and when first and last (within a minute, or five for errors)."""

    times: int
    first_at: dt.datetime
    last_at: dt.datetime


def seen_lately(*, now: dt.datetime, service: Service | None = None) -> dict[Place, dict[str, Lately]]:
    """What was seen in the hour before `now`, by place and release: sessions where there are any, else errors. Two queries."""
    traffic = TrafficCount.objects.filter(at__gt=now - WINDOW, at__lte=now, origin=TrafficCount.Origin.LIVE)
    errors = IssueCount.objects.filter(bucket_at__gt=now - WINDOW, bucket_at__lte=now)
    if service is not None:
        traffic, errors = traffic.filter(service=service), errors.filter(issue__service=service)
    found = _grouped(errors.exclude(release=""), "issue__service", "bucket_at")
    found.update(_grouped(traffic.exclude(release=""), "service", "at"))
    return found


def _grouped(
    rows: QuerySet[IssueCount] | QuerySet[TrafficCount], service: str, at: str
) -> dict[Place, dict[str, Lately]]:
    found: dict[Place, dict[str, Lately]] = defaultdict(dict)
    totals = rows.values_list(service, "environment", "release").annotate(Sum("count"), Min(at), Max(at))
    for service_id, environment_id, release, count, first_at, last_at in totals.order_by():
        found[Place(service_id, environment_id)][release] = Lately(count, first_at, last_at)
    return dict(found)


def drift_at(
    place: Place, lately: Mapping[str, Lately], *, deploys: Iterable[Recorded], now: dt.datetime
) -> Drift | None:
    """The drift of one place, given what was seen lately and what was deployed. One query."""
    known = ReleaseSighting.objects.filter(service=place.service_id, environment=place.environment_id)
    sightings = [
        Sighting(row.release, row.first_seen_at, row.last_seen_at, lately[row.release].times if row.release in lately else 0)
        for row in known
    ]  # fmt: skip
    return drift_of(sightings, list(deploys), now=now)


def deploys_at(place: Place, service: Service, *, now: dt.datetime) -> list[Recorded]:
    """What was deployed there lately, as reported or inferred, without what failed before traffic. Two queries."""
    rows = Deploy.objects.filter(service=place.service_id, environment=place.environment_id, started_at__lte=now)
    timeout = deploy_timeout(service.team)
    columns = ("release__version", "status", "started_at", "finished_at", "live_at")
    found: list[Recorded] = []
    for release, status, started_at, finished_at, live_at in rows.order_by("-started_at", "-pk").values_list(*columns)[
        :MOST_DEPLOYS
    ]:
        if found and started_at < now - BACK:
            break
        is_running = status == Deploy.Status.IN_PROGRESS
        if status == Deploy.Status.FAILURE or (is_running and now - started_at > timeout):
            continue
        at = None if is_running else live_at or finished_at or started_at
        found.append(Recorded(release or "", started_at, at))
    return found


def drift_of_service(service: Service, *, now: dt.datetime) -> list[tuple[int, Drift]]:
    """What is out of line now, by environment, for the service's page. Two queries, and three for each environment."""
    found = []
    for place, lately in sorted(seen_lately(now=now, service=service).items()):
        drift = drift_at(place, lately, deploys=deploys_at(place, service, now=now), now=now)
        if drift is not None:
            found.append((place.environment_id, drift))
    return found
