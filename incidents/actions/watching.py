"""Since when a service is watched. Nobody watched is not up: until the first evidence of availability, time is unknown.

The product writes the gap itself when a service begins its life here, and ends it with the first check, the first
traffic count, or a person's word that outages are logged by hand. Imported services tell their own gaps.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from deploys.actions.facts import identity_of, record_fact
from deploys.models import Fact, FactOrigin, Service, User
from incidents.models import MonitoringGap

SOURCE: Final = "upshot"
REASON: Final = "nothing watched it yet"


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


def _tell(service: Service, payload: dict[str, object], *, now: dt.datetime, by: User | None) -> None:
    record_fact(
        team=service.team, kind="monitoring_gap", payload={"id": gap_id(service), **payload}, received_at=now,
        origin=FactOrigin.PERSON if by else FactOrigin.LIVE, source=SOURCE, actor=by,
    )  # fmt: skip
