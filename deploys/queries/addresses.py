"""Addresses that people copy: DSN, deploys API, webhooks, pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from deploys.models import Service, Source


def dsn_of(service: Service) -> str:
    """The DSN of the service's oldest active key; empty when it has none. One query."""
    key = service.dsn_keys.filter(is_active=True).order_by("id").values_list("public_key", flat=True).first()
    base = urlsplit(settings.BASE_URL)
    return f"{base.scheme}://{key}@{base.netloc}{base.path}/{service.number}" if key else ""


def deploys_url() -> str:
    """Where deploys are posted."""
    return settings.BASE_URL + reverse("api-deploys")


def webhook_url(source: Source) -> str:
    """Where the source's sender delivers."""
    return settings.BASE_URL + reverse("webhook", args=[source.kind, source.public_id])


def service_url(service: Service) -> str:
    """The service's page, from the root of the instance."""
    return reverse("service-detail", args=[service.team.slug, service.public_id])
