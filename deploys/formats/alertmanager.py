"""Prometheus Alertmanager, webhook version 4. Nothing is refused for its content: what is comes again for ever."""

from __future__ import annotations

from typing import Final

from deploys.domain.signatures import Token
from deploys.formats.alerts import alerts_of
from deploys.formats.reading import json_of
from deploys.formats.webhook import Inbound, Message, SourceKind


def read(inbound: Inbound) -> list[Message]:
    """Every alert of the notification."""
    return alerts_of(json_of(inbound.body), "alertmanager")


KIND: Final = SourceKind(
    slug="alertmanager", title="Prometheus Alertmanager", schemes=(Token(),), read=read, forgives=True,
    events="firing and resolved alerts",
    setup="receivers, webhook_configs: this URL, send_resolved: true, and http_config with authorization credentials: the secret. The label service names the service.",
)  # fmt: skip
