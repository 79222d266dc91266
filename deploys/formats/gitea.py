"""Gitea and Forgejo: pushes give commits, a published release is a deploy where a rule says so."""

from __future__ import annotations

from typing import Final

from deploys.domain.signatures import Hmac
from deploys.formats.pushes import full_name, push_message, release_message
from deploys.formats.reading import json_or_form
from deploys.formats.webhook import Inbound, Message, MissingEvent, SourceKind, unsupported


def read(inbound: Inbound) -> list[Message]:
    """What a delivery says, by its header X-Gitea-Event."""
    payload = json_or_form(inbound)
    event, delivery = inbound.header("X-Gitea-Event"), inbound.header("X-Gitea-Delivery")
    match event:
        case "":
            raise MissingEvent("expected the header X-Gitea-Event")
        case "push":
            return push_message(event, payload, full_name(payload), delivery)
        case "release":
            return release_message(payload, delivery, actions={"published"})
    return unsupported(event, "push and release", delivery)


KIND: Final = SourceKind(
    slug="gitea", title="Gitea, Forgejo", schemes=(Hmac("X-Gitea-Signature"),), read=read,
    event_header="X-Gitea-Event", delivery_header="X-Gitea-Delivery", rules=("repository", "environment", "workflow"),
    events="Push and Release", setup="Repository, Settings, Webhooks, Add webhook, Gitea: paste URL and secret, content type application/json.",
)  # fmt: skip
