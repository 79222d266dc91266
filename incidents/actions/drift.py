"""Finds deploys that nobody reported, by the releases that errors and sessions come from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from django.db import transaction

from deploys.actions.inferred import absorb_inferred, record_inferred
from deploys.models import Environment, Service
from deploys.queries.changes import deploy_timeout
from incidents.domain.drift import Drift, Finding
from incidents.models import ReleaseSighting
from incidents.queries.releases_seen import (
    BUCKET,
    Lately,
    Place,
    deploys_at,
    drift_of_place,
    first_event,
    seen_lately,
    sightings_at,
)

MOST_RELEASES: Final = 2_000
"""Releases remembered of one place; a sender that names each build, or each request, makes no more."""


def find_drift(*, now: dt.datetime) -> int:
    """Looks at every place that was heard of in the last hour, and records what nobody reported. How many deploys.

    Its cost follows from what came in within the hour, not from what is stored. Safe to run at any time and twice.
    """
    seen = seen_lately(now=now)
    services = {
        row.pk: row for row in Service.objects.select_related("team").filter(pk__in={at.service_id for at in seen})
    }
    environments = Environment.objects.in_bulk({at.environment_id for at in seen})
    timeouts = {team.pk: deploy_timeout(team) for team in {service.team for service in services.values()}}
    recorded = 0
    for place, lately in sorted(seen.items()):
        service = services[place.service_id]
        deploys = deploys_at(place, timeout=timeouts[service.team_id], now=now)
        drift = drift_of_place(remember(place, lately, now=now), lately, deploys=deploys, now=now)
        if drift is None or not drift.is_deploy:
            continue
        made = record_inferred(
            service=service,
            environment=environments[place.environment_id],
            release=drift.release,
            at=drift.at,
            why=reason(drift),
            now=now,
        )
        recorded += made is not None
    absorb_inferred(now=now)
    return recorded


def reason(drift: Drift) -> str:
    """What the deploy's page says of how it is known."""
    if drift.finding == Finding.UNREPORTED_ROLLBACK:
        return f"Nobody reported this. Errors and sessions came from {drift.expected} until then, and from {drift.release} since."
    instead = f" instead of {drift.expected}" if drift.expected else ""
    return f"Nobody reported this. Errors and sessions come from {drift.release}{instead} since then."


@transaction.atomic
def remember(place: Place, lately: Mapping[str, Lately], *, now: dt.datetime) -> list[ReleaseSighting]:
    """Notes first and last sightings, and gives all of the place. One query, a write where something is new, and one for each release that is."""
    rows = {row.release: row for row in sightings_at(place)}
    fresh: list[ReleaseSighting] = []
    later: list[ReleaseSighting] = []
    for release, seen in sorted(lately.items()):
        last_at = min(seen.last_at + BUCKET, now)
        row = rows.get(release)
        if row is not None:
            if row.last_seen_at < last_at:
                row.last_seen_at = last_at
                later.append(row)
        elif len(rows) + len(fresh) < MOST_RELEASES:
            first_at = first_event(place, release, seen.first_at) or seen.first_at
            fresh.append(
                ReleaseSighting(
                    service_id=place.service_id,
                    environment_id=place.environment_id,
                    release=release,
                    first_seen_at=first_at,
                    last_seen_at=max(first_at, last_at),
                )
            )
    ReleaseSighting.objects.bulk_create(fresh, ignore_conflicts=True)
    ReleaseSighting.objects.bulk_update(later, ["last_seen_at"], batch_size=500)
    return [*rows.values(), *fresh]
