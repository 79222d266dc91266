"""Uptime Kuma: a heartbeat of a monitor that has changed. Keys: its webhook notification, sent as JSON."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import OutsideReport
from deploys.domain.signatures import Token
from deploys.formats.reading import items, json_of, line, moment, part, text, web_address
from deploys.formats.webhook import Inbound, Message, Said, SourceKind, UnexpectedPayload, ignored

STATES: Final = {0: "detected", 1: "resolved"}
SILENT: Final = {2: "a check failed, it will be tried again", 3: "in maintenance"}


def read(inbound: Inbound) -> list[Message]:
    """Down or up; tests and notices of certificates have no heartbeat."""
    payload = json_of(inbound.body)
    beat, monitor = part(payload, "heartbeat"), part(payload, "monitor")
    if not beat or not monitor:
        return ignored("test", "no heartbeat: a test, or a notice of a certificate")
    status, name = beat.get("status"), line(monitor.get("name")) or "monitor"
    stated = text(beat, "time", "heartbeat")
    identity, at = text(beat, "monitorID", "heartbeat", 40), moment(f"{stated} UTC") or moment(stated)
    delivery = f"{identity} {stated} {status}"[:200]
    if isinstance(status, bool) or not isinstance(status, int) or at is None:
        raise UnexpectedPayload("heartbeat: expected a status and a time")
    if status not in STATES:
        return ignored("heartbeat", f"{name}: {SILENT.get(status, f'status {status}')}", delivery)
    tags = {line(tag.get("name")): line(tag.get("value"), 100) for tag in items(monitor.get("tags"), 50)}
    service = tags.get("service") or name
    report = OutsideReport(
        origin="uptimekuma", id=identity, state=STATES[status], at=at, service=service,
        environment=tags.get("environment") or tags.get("env"), url=web_address(monitor.get("url")), says_down=True,
        title=f"{name}: {line(beat.get('msg'), 200) or 'down'}",
    )  # fmt: skip
    return [Message("down" if status == 0 else "up", delivery, [Said(report, service, trigger=name)])]


KIND: Final = SourceKind(
    slug="uptimekuma", title="Uptime Kuma", schemes=(Token(in_address=True),), read=read, forgives=True, events="down and up",
    setup="Settings, Notifications, Webhook, JSON: this URL, and Authorization: Bearer and the secret as additional header. A tag service on the monitor names the service.",
)  # fmt: skip
