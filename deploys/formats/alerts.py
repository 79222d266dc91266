"""What formats of alerts share: the list of alerts of Prometheus' Alertmanager, which Grafana speaks too."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import OutsideReport
from deploys.formats.reading import items, line, moment, part, place_of, text, web_address
from deploys.formats.webhook import Json, Message, Said, UnexpectedPayload, ignored

#: Labels that name the service and the environment, by convention, the plainest first.
SERVICE_LABELS: Final = ("service", "app", "app_kubernetes_io_name", "application", "job")
PLACE_LABELS: Final = ("env", "environment", "deployment_environment", "stage")


def alerts_of(payload: Json, origin: str) -> list[Message]:
    """One message per alert: each has a status of its own, and that of their group is not used.

    Alerts that a sender left out (`truncatedAlerts`) are not over: nothing is concluded from absence.
    """
    if not isinstance(payload.get("alerts"), list):
        raise UnexpectedPayload("alerts: expected a list")
    found = [_alert(each, origin) for each in items(payload["alerts"], 1000)]
    return found or ignored("notification", "no alert in it")


def _alert(alert: Json, origin: str) -> Message:
    labels, notes = part(alert, "labels"), part(alert, "annotations")
    status, identity = text(alert, "status", "alert"), text(alert, "fingerprint", "alert", 64)
    started_at, ended_at = moment(alert.get("startsAt")), moment(alert.get("endsAt"))
    at = ended_at if status == "resolved" else started_at
    if status not in ("firing", "resolved") or at is None:
        raise UnexpectedPayload("alert: expected firing with startsAt, or resolved with endsAt")
    service = next(filter(None, (line(labels.get(name), 100) for name in SERVICE_LABELS)), None)
    stated = next(filter(None, (labels.get(name) for name in PLACE_LABELS)), None)
    name = line(labels.get("alertname")) or "alert"
    report = OutsideReport(
        origin=origin, id=identity, state="resolved" if status == "resolved" else "detected", at=at,
        began_at=started_at, service=service, environment=place_of(stated, labels.get("namespace")),
        title=line(notes.get("summary") or notes.get("description") or notes.get("message"), 300) or name,
        url=web_address(notes.get("runbook_url"), alert.get("panelURL"), alert.get("dashboardURL"), alert.get("generatorURL")),
    )  # fmt: skip
    return Message(status, f"{identity} {at.isoformat()} {status}", [Said(report, service or name, trigger=name)])
