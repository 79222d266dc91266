"""Jira's webhooks, Cloud and Data Center: whether a ticket is done. Field names: Atlassian's documentation of webhooks."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from deploys.domain.signatures import Hmac, Token
from deploys.domain.tickets import TicketReport
from deploys.formats.reading import json_of, line, milliseconds, needed, part, text
from deploys.formats.webhook import (
    Inbound,
    Message,
    Said,
    SourceKind,
    UnexpectedPayload,
    ignored,
    unsupported,
)

EVENTS: Final = ("jira:issue_created", "jira:issue_updated", "jira:issue_deleted")
#: Statuses have any name; each is of one of these categories.
CATEGORIES: Final = frozenset({"undefined", "new", "indeterminate", "done"})


def read(inbound: Inbound) -> list[Message]:
    """An issue that was made, changed or deleted; it is closed where its status is of the category `done`."""
    payload = json_of(inbound.body)
    event, delivery = text(payload, "webhookEvent", longest=60), inbound.header("X-Atlassian-Webhook-Identifier")
    if event not in EVENTS:
        return unsupported(event, ", ".join(EVENTS), delivery)
    issue, at = needed(payload, "issue"), milliseconds(payload.get("timestamp"))
    if at is None:
        raise UnexpectedPayload("timestamp: expected milliseconds since 1970")
    category = line(part(issue, "fields", "status", "statusCategory").get("key"), 40)
    is_deleted = event == "jira:issue_deleted"
    if category not in CATEGORIES and not is_deleted:
        return ignored(event, "it names no category of the status", delivery)
    key = text(issue, "key", "issue", 60)
    report = TicketReport(_address(text(issue, "self", "issue", 500), key), is_deleted or category == "done", at)
    delivery = delivery or f"{key} {event} {payload.get('timestamp')}"
    return [Message(event, delivery, [Said(report, key.rpartition("-")[0])])]


def _address(api: str, key: str) -> str:
    """Where people look at the ticket, by the address under which programs do. A Data Center may stand below a path."""
    before, found, _ = api.partition("/rest/api/")
    if not found or urlsplit(before).scheme not in {"http", "https"}:
        raise UnexpectedPayload("issue.self: expected the address of Jira's REST API")
    return f"{before}/browse/{key}"


KIND: Final = SourceKind(
    slug="jira", title="Jira", schemes=(Hmac("X-Hub-Signature", prefix="sha256="), Token(in_address=True)), read=read,
    forgives=True, event_header="X-Atlassian-Webhook-Identifier", delivery_header="X-Atlassian-Webhook-Identifier", brings_secret=True,
    events="Issue created, updated and deleted", rules=(),
    setup="Settings, System, WebHooks, Create a WebHook: paste the URL, and the secret; choose Issue created, updated and deleted. Where Jira has no field for a secret, add ?token= and the secret to the URL.",
)  # fmt: skip
