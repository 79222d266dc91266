"""Releases in errors and sessions, beside what was deployed: what drift is told from. Counts only, never events."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from django.db.models import Max, Min, Q, QuerySet, Sum

from deploys.domain.releases import is_same_version
from deploys.models import INFERRED, Deploy, Service
from deploys.queries.changes import deploy_timeout
from incidents.domain.drift import Drift, Recorded, Sighting, drift_of
from incidents.models import ErrorEvent, Issue, IssueCount, ReleaseSighting, TrafficCount

BUCKET: Final = dt.timedelta(minutes=5)
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


def sightings_at(place: Place) -> QuerySet[ReleaseSighting, ReleaseSighting]:
    """First and last sighting of every release that was ever seen in this place."""
    return ReleaseSighting.objects.filter(service=place.service_id, environment=place.environment_id)


def drift_of_place(
    known: Iterable[ReleaseSighting], lately: Mapping[str, Lately], *, deploys: Iterable[Recorded], now: dt.datetime
) -> Drift | None:
    """The drift of one place, given its sightings, what was seen lately and what was deployed."""
    sightings = [
        Sighting(row.release, row.first_seen_at, row.last_seen_at, lately[row.release].times if row.release in lately else 0)
        for row in known
    ]  # fmt: skip
    return drift_of(sightings, list(deploys), now=now)


def deploys_at(place: Place, *, timeout: dt.timedelta, now: dt.datetime) -> list[Recorded]:
    """What was deployed there lately, as reported or inferred, without what failed before traffic. One query.

    `timeout` is how long a deploy of the team may run (`deploy_timeout`).
    """
    rows = Deploy.objects.filter(service=place.service_id, environment=place.environment_id, started_at__lte=now)
    rows = rows.exclude(source=INFERRED, status=Deploy.Status.IN_PROGRESS)  # only appeared: nobody reported it
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
    """What is out of line now, by environment, for the service's page. Three queries, and two for each environment."""
    found, timeout = [], deploy_timeout(service.team)
    for place, lately in sorted(seen_lately(now=now, service=service).items()):
        deploys = deploys_at(place, timeout=timeout, now=now)
        drift = drift_of_place(sightings_at(place), lately, deploys=deploys, now=now)
        if drift is not None:
            found.append((place.environment_id, drift))
    return found


def appeared(
    service_ids: Collection[int], environment_id: int, *, since: dt.datetime, until: dt.datetime
) -> list[tuple[int, str, dt.datetime]]:
    """(service, release, first seen) of releases that were seen in [since, until], not before, and in no recorded deploy.

    In order. Three queries, and up to four more for each release that no deploy names.
    """
    named_releases = Q(environment=environment_id) & ~Q(release="")
    errors = IssueCount.objects.filter(
        named_releases, issue__service__in=service_ids, bucket_at__gte=since, bucket_at__lte=until
    )
    traffic = TrafficCount.objects.filter(named_releases, service__in=service_ids, at__gte=since, at__lte=until)
    buckets = {
        (service_id, release): at
        for service_id, release, at in errors.values_list("issue__service", "release")
        .annotate(Min("bucket_at"))
        .order_by()
    }
    counted = {
        (service_id, release): at + dt.timedelta(seconds=seconds / 2)
        for service_id, release, at, seconds in traffic.values_list("service", "release")
        .annotate(Min("at"), Min("seconds"))
        .order_by()
    }
    if not buckets and not counted:
        return []
    named = _versions(service_ids, environment_id)
    found = []
    for service_id, release in sorted(buckets.keys() | counted.keys()):
        key, place = (service_id, release), Place(service_id, environment_id)
        if any(is_same_version(release, version) for version in named[service_id]):
            continue
        if named[service_id] and not _speaks_alike(service_id, named[service_id]):
            continue
        if _was_seen(place, release, before=since):
            continue
        firsts = [counted[key]] if key in counted else []
        if key in buckets:
            firsts.append(first_event(place, release, buckets[key]) or buckets[key])
        found.append((service_id, release, min(firsts)))
    return found


def _versions(service_ids: Collection[int], environment_id: int) -> dict[int, list[str]]:
    deploys = Deploy.objects.filter(service__in=service_ids, environment=environment_id, release__isnull=False)
    found: dict[int, list[str]] = defaultdict(list)
    for service_id, version in deploys.order_by("-started_at").values_list("service", "release__version")[:1000]:
        found[service_id].append(version)
    return found


def _speaks_alike(service_id: int, versions: Collection[str]) -> bool:
    """Do errors and deploys name releases alike? Where they never did, an unknown name tells of no new deploy."""
    seen = Issue.objects.filter(service=service_id).exclude(first_release="").order_by("-id")
    releases = set(seen.values_list("first_release", flat=True)[:200])
    return any(is_same_version(release, version) for release in releases for version in versions)


def _was_seen(place: Place, release: str, *, before: dt.datetime) -> bool:
    """Asks what is remembered of the place, whatever its history; its counts only where nothing is (a replay)."""
    known = sightings_at(place)
    if known.exists():
        return known.filter(release=release, first_seen_at__lt=before).exists()
    errors = IssueCount.objects.filter(
        release=release, issue__service=place.service_id, environment=place.environment_id, bucket_at__lt=before
    )
    traffic = TrafficCount.objects.filter(
        service=place.service_id, environment=place.environment_id, release=release, at__lt=before
    )
    return errors.exists() or traffic.exists()


def first_event(place: Place, release: str, bucket_at: dt.datetime) -> dt.datetime | None:
    """The first error of a release within the five minutes in which it was counted first: counts know no better."""
    rows = ErrorEvent.objects.filter(
        service=place.service_id, environment=place.environment_id, release=release,
        timestamp__gte=bucket_at, timestamp__lt=bucket_at + BUCKET,
    )  # fmt: skip
    return rows.order_by("timestamp").values_list("timestamp", flat=True).first()
