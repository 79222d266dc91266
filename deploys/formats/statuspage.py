"""Statuspage subscriptions: incidents and components of a status page, a supplier's or one's own."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import OutsideReport
from deploys.domain.signatures import Token
from deploys.formats.reading import instant, json_of, line, moment, needed, part, text, web_address
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, ignored, unsupported

GOES_ON: Final = ("investigating", "identified", "monitoring")
OVER: Final = ("resolved", "postmortem")
OUTAGES: Final = ("degraded_performance", "partial_outage", "major_outage")


def read(inbound: Inbound) -> list[Message]:
    """A change of an incident or of a component. Planned work is no trouble."""
    payload = json_of(inbound.body)
    if isinstance(payload.get("incident"), dict):
        return _incident(needed(payload, "incident"))
    if isinstance(payload.get("component_update"), dict):
        return _component(needed(payload, "component_update"), part(payload, "component"))
    return unsupported("notification", "incident and component_update")


def _incident(said: Json) -> list[Message]:
    identity, status = text(said, "id", "incident"), text(said, "status", "incident", 40)
    changed_at = moment(said.get("updated_at")) or instant(said, "created_at", "incident")
    delivery = f"{identity[:100]} {changed_at.isoformat()} {status}"
    if status not in (*GOES_ON, *OVER):
        return ignored("incident", f"{status}: planned work, or nothing that began or ended", delivery)
    began_at = instant(said, "created_at", "incident")
    is_over = status in OVER
    report = OutsideReport(
        origin="statuspage", id=identity, state="resolved" if is_over else "detected", began_at=began_at,
        at=(moment(said.get("resolved_at")) or changed_at) if is_over else began_at,
        title=line(said.get("name"), 300), url=web_address(said.get("shortlink")), says_down=said.get("impact") == "critical",
    )  # fmt: skip
    return [Message("incident", delivery, [Said(report)])]


def _component(update: Json, component: Json) -> list[Message]:
    status, at = text(update, "new_status", "component_update", 40), instant(update, "created_at", "component_update")
    identity, name = text(update, "component_id", "component_update"), line(component.get("name"), 100)
    delivery = line(update.get("id")) or f"{identity[:100]} {at.isoformat()} {status}"
    if status not in (*OUTAGES, "operational"):
        return ignored("component", f"{name or identity}: {status}", delivery)
    report = OutsideReport(
        origin="statuspage", id=identity, state="resolved" if status == "operational" else "detected", at=at, service=name,
        title=f"{name or identity}: {status.replace('_', ' ')}", says_down=status == "major_outage",
    )  # fmt: skip
    return [Message("component", delivery, [Said(report, name or "")])]


KIND: Final = SourceKind(
    slug="statuspage", title="Statuspage", schemes=(Token(in_address=True),), read=read, forgives=True,
    events="incidents and components",
    setup="Subscribe to updates of the page, Webhook: this URL with ?token= and the secret behind it. Name the service it is about above: the page does not.",
)  # fmt: skip
