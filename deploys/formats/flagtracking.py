"""The generic change-tracking format of Sentry, version 1, which several flag systems send by themselves.

It names neither environment nor value: what changed is known, what it became is not. Such a change is told with a segment
that says so, which counts neither as fully on nor as fully off.
"""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import FlagReport
from deploys.domain.signatures import Hmac
from deploys.formats.reading import instant, items, json_of, line, part, text
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, UnexpectedPayload, ignored

UNKNOWN: Final = {"unknown": "the sender does not say what the flag became"}


def read(inbound: Inbound) -> list[Message]:
    """One message for each change of the list: the sender's id is one of the flag's state, the same in later changes."""
    payload = json_of(inbound.body)
    if part(payload, "meta").get("version") != 1:
        raise UnexpectedPayload("meta.version: expected 1")
    if not isinstance(payload.get("data"), list):
        raise UnexpectedPayload("data: expected a list")
    found = [_change(each) for each in items(payload["data"], 500)]
    return found or ignored("change", "an empty list")


def _change(said: Json) -> Message:
    action, key, at = text(said, "action"), text(said, "flag"), instant(said, "created_at")
    delivery = f"{key[:100]} {line(said.get('change_id'), 40) or ''} {at.isoformat()} {action[:20]}"
    if action not in {"created", "updated", "deleted"}:
        return Message(action, delivery, ignored=f"{action}: only created, updated and deleted are known")
    is_gone = action == "deleted"
    report = FlagReport(
        key=key,
        id=delivery,
        at=at,
        new_percent=0 if is_gone else 100,
        segment=None if is_gone else UNKNOWN,
        created_at=at if action == "created" else None,
        archived_at=at if is_gone else None,
    )
    return Message(action, delivery, [Said(report)])


KIND: Final = SourceKind(
    slug="flagtracking", title="Flag change tracking", schemes=(Hmac("X-Sentry-Signature"),), read=read,
    forgives=True, is_silent=True, rules=("repository", "environment"), events="every change of a flag", brings_secret=True,
    setup="In the flag system's Sentry integration (Flagsmith: Integrations, Sentry): paste URL and secret.",
)  # fmt: skip
