"""Since when a service is watched. Nobody watched is not up: until the first evidence of availability, time is unknown.

The product writes the gap itself when a service begins its life here, and ends it with the first check, the first
traffic count, or a person's word that outages are logged by hand. Imported services tell their own gaps. A time in which
the product itself did not run is a gap, too, of every service that it watches.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from deploys.actions.facts import identity_of, record_fact
from deploys.models import Fact, FactOrigin, Service, Team, User
from incidents.models import Alert, IngestCount, Job, Monitor, MonitoringGap

SOURCE: Final = "upshot"
REASON: Final = "nothing watched it yet"
ABSENT: Final = "Upshot did not run"


def gap_id(service: Service) -> str:
    """The id of the gap in which this service began."""
    return f"unwatched-{service.public_id}"


@transaction.atomic
def begin_unwatched(*, service: Service, now: dt.datetime) -> bool:
    """Opens the gap in which a service begins, from its birth on; False where it has one or its past was imported."""
    if MonitoringGap.objects.filter(team=service.team, source=SOURCE, external_id=gap_id(service)).exists():
        return False
    told = Fact.objects.filter(
        team=service.team, kind="service", identity=identity_of("service", SOURCE, {"service": service.name})
    )
    if told.filter(origin=FactOrigin.IMPORT).exists():
        return False
    starts_at = service.born_at or service.created_at
    _tell(service, {"starts_at": starts_at.isoformat(), "services": [service.name], "reason": REASON}, now=now, by=None)
    Service.objects.filter(pk=service.pk).update(is_unwatched=True)
    return True


@transaction.atomic
def end_unwatched(*, service: Service, at: dt.datetime, now: dt.datetime, by: User | None = None) -> bool:
    """The service is watched from `at` on (never before the gap began); False where it was watched already.

    `by` is the person who says that outages are logged by hand; without, evidence speaks for itself.
    """
    gap = MonitoringGap.objects.filter(
        team=service.team, source=SOURCE, external_id=gap_id(service), ends_at__isnull=True
    ).first()  # fmt: skip
    Service.objects.filter(pk=service.pk, is_unwatched=True).update(is_unwatched=False)
    service.is_unwatched = False
    if gap is None:
        return False
    _tell(service, {"ends_at": max(at, gap.starts_at).isoformat()}, now=now, by=by)
    return True


def note_absence(*, since: dt.datetime, until: dt.datetime) -> int:
    """Nothing was watched in [since, until), because Upshot itself did not run; for how many teams that was noted.

    It concerns what is watched from here: by monitors, pings, alerts, and errors or sessions of an SDK. What people log by
    hand or import is known all the same. The same absence is noted once, however many workers find it.
    """
    of_service = {"service": OuterRef("pk")}
    watched = Service.objects.filter(
        Exists(Monitor.objects.filter(**of_service, is_active=True)) | Exists(Job.objects.filter(**of_service))
        | Exists(IngestCount.objects.filter(**of_service)) | Exists(Alert.objects.filter(**of_service)),
        Q(retired_at=None) | Q(retired_at__gt=since), is_unwatched=False,
    )  # fmt: skip
    by_team: dict[Team, list[str]] = defaultdict(list)
    for service in watched.select_related("team").order_by("team", "name"):
        by_team[service.team].append(service.name)
    name = f"absent-{since:%Y%m%dT%H%M%S}"
    for team, services in by_team.items():
        payload = {"id": name, "starts_at": since.isoformat(), "ends_at": until.isoformat(), "services": services}
        record_fact(
            team=team, kind="monitoring_gap", payload={**payload, "reason": ABSENT}, received_at=until,
            origin=FactOrigin.LIVE, source=SOURCE, delivery_id=name,
        )  # fmt: skip
    return len(by_team)


def _tell(service: Service, payload: dict[str, object], *, now: dt.datetime, by: User | None) -> None:
    record_fact(
        team=service.team, kind="monitoring_gap", payload={"id": gap_id(service), **payload}, received_at=now,
        origin=FactOrigin.PERSON if by else FactOrigin.LIVE, source=SOURCE, actor=by,
    )  # fmt: skip
