"""Grafana Alerting, webhook contact point: Alertmanager's alerts with more around them."""

from __future__ import annotations

from typing import Final

from deploys.domain.signatures import Hmac, Token
from deploys.formats.alerts import alerts_of
from deploys.formats.reading import json_of
from deploys.formats.webhook import Inbound, Message, SourceKind


def read(inbound: Inbound) -> list[Message]:
    """Every alert of the notification."""
    return alerts_of(json_of(inbound.body), "grafana")


KIND: Final = SourceKind(
    slug="grafana", title="Grafana", schemes=(Hmac("X-Grafana-Alerting-Signature"), Token()), read=read, forgives=True,
    events="firing and resolved alerts",
    setup="Alerting, Contact points, Webhook, POST: this URL, and the secret under HMAC Signature (without a timestamp header) or as authorization credentials. The label service names the service.",
)  # fmt: skip
