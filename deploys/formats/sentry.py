"""Sentry's own webhooks (internal integrations): issue alerts and metric alerts begin trouble, their resolution ends it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from deploys.domain.changes import OutsideReport
from deploys.domain.signatures import Hmac
from deploys.formats.reading import instant, json_of, line, moment, needed, part, text, web_address
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, UnexpectedPayload, unsupported

EXPECTED: Final = "event_alert triggered, metric_alert critical, warning and resolved, and issue resolved"


def read(inbound: Inbound) -> list[Message]:
    """What an alert rule found, or that an issue was resolved. A new issue alone is no trouble yet."""
    payload = json_of(inbound.body)
    resource, delivery = inbound.header("Sentry-Hook-Resource"), inbound.header("Request-ID")
    action, data = text(payload, "action", longest=40), part(payload, "data")
    match resource, action:
        case "event_alert", "triggered":
            report = _issue_alert(needed(data, "event"))
        case "metric_alert", "critical" | "warning":
            report = _metric(data, "detected")
        case "metric_alert", "resolved":
            report = _metric(data, "resolved")
        case "issue", "resolved":
            report = _resolved(inbound, needed(data, "issue"))
        case _:
            return unsupported(f"{resource or 'no resource'} {action}", EXPECTED, delivery)
    return [Message(f"{resource} {action}", delivery, [Said(report, report.service or "")])]


def _issue_alert(event: Json) -> OutsideReport:
    """Known by its issue: the same rule fires again and again for one."""
    return OutsideReport(
        origin="sentry", id=f"issue {text(event, 'issue_id', 'event')}", state="detected", at=instant(event, "datetime", "event"),
        service=_project(event.get("url")), environment=line(event.get("environment"), 100),
        title=line(event.get("title"), 300), url=web_address(event.get("web_url")),
    )  # fmt: skip


def _metric(data: Json, state: str) -> OutsideReport:
    alert = needed(data, "metric_alert")
    projects = alert.get("projects")
    began_at = moment(alert.get("date_started")) or moment(alert.get("date_detected"))
    at = moment(alert.get("date_closed")) if state == "resolved" else began_at
    if at is None:
        raise UnexpectedPayload("metric_alert: expected date_started, and date_closed where it is resolved")
    return OutsideReport(
        origin="sentry", id=f"metric {text(alert, 'id', 'metric_alert')}", state=state, at=at, began_at=began_at,
        service=line(projects[0], 100) if isinstance(projects, list) and projects else None,
        environment=line(part(alert, "alert_rule").get("environment"), 100),
        title=line(alert.get("title"), 300), url=web_address(data.get("web_url")),
    )  # fmt: skip


def _resolved(inbound: Inbound, issue: Json) -> OutsideReport:
    """The payload has no time of it; the header says when it was sent."""
    sent = inbound.header("Sentry-Hook-Timestamp")
    at = moment(int(sent)) if sent.isdigit() and len(sent) < 12 else None
    return OutsideReport(
        origin="sentry", id=f"issue {text(issue, 'id', 'issue')}", state="resolved", at=at or inbound.received_at,
        service=line(part(issue, "project").get("slug"), 100), title=line(issue.get("title"), 300),
    )  # fmt: skip


def _project(address: object) -> str | None:
    """`shop` of `https://host/api/0/projects/acme/shop/events/…/`."""
    try:
        parts = urlsplit(line(address, 500) or "").path.strip("/").split("/")
    except ValueError:
        return None
    return parts[4][:100] if parts[2:3] == ["projects"] and len(parts) > 4 else None


KIND: Final = SourceKind(
    slug="sentry", title="Sentry alerts", schemes=(Hmac("Sentry-Hook-Signature"),), read=read, brings_secret=True,
    event_header="Sentry-Hook-Resource", delivery_header="Request-ID", forgives=True,
    keeps=("Sentry-Hook-Resource", "Sentry-Hook-Timestamp", "Request-ID"), events="issue alerts, metric alerts, issue resolved",
    setup="Settings, Custom Integrations, Internal Integration: this URL as webhook, Alert Rule Action on, resource issue. Then bring its client secret.",
)  # fmt: skip
