"""Anybody's own webhook: the deploy API's keys in JSON, signed as Standard Webhooks or by one HMAC header."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from deploys.domain.changes import DeployReport
from deploys.domain.records import FINAL_STATUSES
from deploys.domain.signatures import Hmac, StandardWebhooks
from deploys.formats.reading import json_of, line, moment, sha, text, web_address
from deploys.formats.webhook import (
    Inbound,
    Json,
    Message,
    Said,
    SourceKind,
    UnexpectedPayload,
    UnsupportedEvent,
    ignored,
)

SIGNATURE: Final = Hmac("X-Upshot-Signature-256", prefix="sha256=")
LINES: Final = {
    "environment": 100,
    "release": 250,
    "artifact": 250,
    "strategy": 40,
}
STATUSES: Final = ("in_progress", *FINAL_STATUSES)
KINDS: Final = ("forward", "rollback", "redeploy", "hotfix")
TIMES: Final = ("started_at", "finished_at", "live_at")


def read(inbound: Inbound) -> list[Message]:
    """One deploy: the keys themselves, or `{"type": "deploy", "data": {…}}` as Standard Webhooks advises."""
    payload = json_of(inbound.body)
    event = line(payload.get("type"), 60) or "deploy"
    delivery = inbound.header("webhook-id") or line(payload.get("delivery_id")) or ""
    if event == "ping":
        return ignored(event, "ping: the webhook is set up", delivery)
    if event != "deploy":
        raise UnsupportedEvent(f"type: expected deploy or ping, got {event}")
    data = payload["data"] if isinstance(payload.get("data"), Mapping) else payload
    return [Message(event, delivery, [Said(_report(data), line(data.get("repository")) or "")])]


def _report(data: Json) -> DeployReport:
    """The report; null takes a key back, and a value of the wrong kind is refused with its key."""
    said: dict[str, Any] = {key: _line(data, key, longest) for key, longest in LINES.items() if key in data}
    said |= {key: _time(data, key) for key in TIMES if key in data}
    said |= {key: _one_of(data, key, known) for key, known in (("status", STATUSES), ("kind", KINDS)) if key in data}
    if "percent" in data:
        said["percent"] = _percent(data)
    if "files" in data:
        said["files"] = _files(data)
    if "description" in data:
        said["description"] = str(data["description"])[:20_000] if isinstance(data["description"], str) else None
    if "url" in data:
        said["url"] = web_address(data["url"])
    if "commit" in data:
        said["commit"] = sha(data["commit"])
    withdrawn = {key for key in said if data[key] is None} - {"status", "environment"}
    return DeployReport(
        id=text(data, "id"),
        service=text(data, "service"),
        withdrawn=frozenset(withdrawn),
        **{key: value for key, value in said.items() if value is not None},
    )


def _line(data: Json, key: str, longest: int) -> str | None:
    return None if data[key] is None else text(data, key, longest=longest)


def _time(data: Json, key: str) -> dt.datetime | None:
    found = moment(data[key])
    if found is None and data[key] is not None:
        raise UnexpectedPayload(f"{key}: expected a time with offset (2026-03-03T10:00:00Z) or epoch seconds")
    if found is not None and not 1990 <= found.year < 2200:
        raise UnexpectedPayload(f"{key}: expected a time from 1990 to 2199")
    return found


def _one_of(data: Json, key: str, known: tuple[str, ...]) -> str | None:
    value = data[key]
    if value is not None and value not in known:
        raise UnexpectedPayload(f"{key}: expected {', '.join(known)}")
    return value if isinstance(value, str) else None


def _percent(data: Json) -> float | None:
    value = data["percent"]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise UnexpectedPayload("percent: expected a number from 0 to 100")
    return value


def _files(data: Json) -> tuple[str, ...] | None:
    value = data["files"]
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > 5000:
        raise UnexpectedPayload("files: expected a list of up to 5,000 paths")
    return tuple(path for each in value if (path := line(each, 1000)))


KIND: Final = SourceKind(
    slug="generic", title="Signed webhook", schemes=(StandardWebhooks(), SIGNATURE), read=read, secret_prefix="whsec_",  # noqa: S106 -- a prefix
    delivery_header="webhook-id", events="deploys as JSON, in the keys of the deploy API",
    setup="Post JSON and sign it: X-Upshot-Signature-256 is sha256= and the hex HMAC-SHA256 of the body by the secret; or Standard Webhooks' three headers.",
)  # fmt: skip
