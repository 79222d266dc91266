"""Opsgenie webhook integration. Its creation times are in milliseconds, its times of change in nanoseconds."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import OutsideReport
from deploys.domain.signatures import Token
from deploys.formats.reading import json_of, line, milliseconds, needed, text
from deploys.formats.webhook import Inbound, Message, Said, SourceKind, UnexpectedPayload, unsupported

STATES: Final = {"Create": "detected", "Acknowledge": "acknowledged", "Close": "resolved"}
NANOSECONDS: Final = 1_000_000


def read(inbound: Inbound) -> list[Message]:
    """One action on one alert there."""
    payload = json_of(inbound.body)
    action, alert = text(payload, "action", longest=60), needed(payload, "alert")
    identity, changed = text(alert, "alertId", "alert"), alert.get("updatedAt")
    delivery = f"{identity[:100]} {action} {line(changed) or ''}"
    if action not in STATES:
        return unsupported(action, ", ".join(STATES), delivery)
    began_at = milliseconds(alert.get("createdAt"))
    changed_at = milliseconds(changed // NANOSECONDS) if isinstance(changed, int) else None
    at = began_at if action == "Create" else changed_at
    if at is None:
        raise UnexpectedPayload("alert: expected createdAt in milliseconds and updatedAt in nanoseconds")
    service = line(alert.get("entity"), 100)
    report = OutsideReport(
        origin="opsgenie", id=identity, state=STATES[action], at=at, began_at=began_at, service=service,
        title=line(alert.get("message"), 300),
    )  # fmt: skip
    return [Message(action, delivery, [Said(report, service or line(alert.get("alias")) or "")])]


KIND: Final = SourceKind(
    slug="opsgenie", title="Opsgenie", schemes=(Token(in_address=True),), read=read, forgives=True,
    events="Create, Acknowledge and Close",
    setup="Settings, Integrations, Webhook: this URL, the header Authorization: Bearer and the secret, and Add Alert Details To Payload. The alert's entity names the service.",
)  # fmt: skip
