"""What somebody needs to point their application and their CI here, and what has been heard from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from deploys.models import Deploy, DsnKey, Service


def dsn_of(service: Service) -> str:
    """The address for Sentry SDKs: the oldest active key of the service on this instance; empty if it has none."""
    key = DsnKey.objects.filter(service=service, is_active=True).order_by("id").first()
    if key is None:
        return ""
    base = urlsplit(settings.BASE_URL)
    return f"{base.scheme}://{key.public_key}@{base.netloc}{base.path}/{service.number}"


def deploys_url() -> str:
    """Where CI posts deploys."""
    return f"{settings.BASE_URL}/api/v1/deploys"


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
