"""Heroku's app webhooks: releases (api:release). A release without a new slug is a change of configuration."""

from __future__ import annotations

import re
from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import Hmac, Token
from deploys.formats.reading import instant, json_of, line, needed, part, sha, text
from deploys.formats.webhook import Inbound, Message, Said, SourceKind, ignored, unsupported

STATES: Final = {
    "pending": "in_progress",
    "succeeded": "success",
    "failed": "failure",
    "expired": "failure",
}
_CONFIG: Final = re.compile(r"(?:Set|Remove|Update|Attach|Detach) .*(?:config var|add-?on|\b[A-Z_]{3,}\b)")


def read(inbound: Inbound) -> list[Message]:
    """One state of one release. The same event comes as create and as update, so the state is part of its name."""
    payload = json_of(inbound.body)
    resource, action = text(payload, "resource", longest=60), text(payload, "action", longest=60)
    event = f"{resource} {action}"
    if resource != "release" or action not in {"create", "update"}:
        return unsupported(event, "release create and release update", line(payload.get("id")) or "")
    data = needed(payload, "data")
    state, number = text(data, "status", "data"), text(data, "version", "data")
    delivery = f"{line(payload.get('id'), 120) or ''} {action} {state[:40]}"
    if state not in STATES:
        return ignored(event, f"{state}: unknown state", delivery)
    app, said, status = text(part(data, "app"), "name", "data.app"), line(data.get("description"), 2000), STATES[state]
    report = DeployReport(
        id=text(data, "id", "data"),
        service=app,
        status=status,
        started_at=instant(data, "created_at", "data"),
        finished_at=None if status == "in_progress" else instant(data, "updated_at", "data"),
        release=f"v{number}"[:250],
        commit=sha(part(data, "slug").get("commit")) or sha(data.get("commit")),
        kind="rollback" if (said or "").startswith("Rollback to") else None,
        strategy="config" if _CONFIG.match(said or "") else None,
        description=said,
    )
    return [Message(event, delivery, [Said(report, app, trigger=app)])]


KIND: Final = SourceKind(
    slug="heroku", title="Heroku", schemes=(Hmac("Heroku-Webhook-Hmac-SHA256", is_base64=True), Token()), read=read,
    forgives=True, rules=("repository", "environment"), events="api:release",
    setup="heroku webhooks:add -i api:release -l notify -u URL -s SECRET -a APP",
)  # fmt: skip
