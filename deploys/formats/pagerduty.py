"""PagerDuty webhooks, version 3. Never refused for content: three refusals switch a subscription off for a day."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import OutsideReport
from deploys.domain.signatures import Hmac
from deploys.formats.reading import instant, json_of, line, moment, needed, part, text, web_address
from deploys.formats.webhook import Inbound, Message, Said, SourceKind, ignored, unsupported

STATES: Final = {
    "incident.triggered": "detected", "incident.reopened": "detected", "incident.acknowledged": "acknowledged",
    "incident.resolved": "resolved",
}  # fmt: skip


def read(inbound: Inbound) -> list[Message]:
    """One event of one incident there."""
    event = needed(json_of(inbound.body), "event")
    kind = text(event, "event_type", "event", 60)
    delivery = inbound.header("X-Webhook-Id") or line(event.get("id")) or ""
    if kind == "pagey.ping":
        return ignored(kind, "ping: the webhook is set up", delivery)
    if kind not in STATES:
        return unsupported(kind, ", ".join(STATES), delivery)
    data, occurred_at = needed(event, "data"), instant(event, "occurred_at", "event")
    began_at = moment(data.get("created_at"))
    service = line(part(data, "service").get("summary"), 100)
    report = OutsideReport(
        origin="pagerduty", id=text(data, "id", "event.data"), state=STATES[kind], began_at=began_at, service=service,
        at=began_at if kind == "incident.triggered" and began_at else occurred_at,
        title=line(data.get("title"), 300), url=web_address(data.get("html_url")),
    )  # fmt: skip
    return [Message(kind, delivery, [Said(report, service or "")])]


KIND: Final = SourceKind(
    slug="pagerduty", title="PagerDuty", schemes=(Hmac("X-PagerDuty-Signature", prefix="v1=", many=True),), read=read,
    delivery_header="X-Webhook-Id", keeps=("X-Webhook-Id",), forgives=True, brings_secret=True,
    events="incident.triggered, .acknowledged, .reopened and .resolved",
    setup="Integrations, Generic Webhooks (v3): paste this URL, then bring the secret that PagerDuty shows.",
)  # fmt: skip
