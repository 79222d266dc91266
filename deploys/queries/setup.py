"""What somebody needs to point their application and their CI here, and what has been heard from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from deploys.models import Deploy, Service


@dataclass(frozen=True, slots=True)
class Heard:
    """The first sign of each kind, or None while nothing came."""

    event_at: datetime | None
    deploy_at: datetime | None
    deploy_release: str


def heard_from(service: Service) -> Heard:
    """What has come from a service so far. One query; the row of the service is as it was loaded."""
    first = Deploy.objects.filter(service=service).select_related("release").order_by("started_at", "pk").first()
    if first is None:
        return Heard(service.first_event_at, None, "")
    return Heard(
        service.first_event_at,
        first.first_received_at or first.started_at,
        first.release.version if first.release else "",
    )
