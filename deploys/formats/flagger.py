"""Flagger's event hook: a canary from its first step to promotion or failure. It signs nothing: the address holds the secret.

Gates are something else. They come with the same body, and an answer of 200 to a rollback gate means "roll back now":
what is no event is refused, so that a gate pointed here by mistake rolls nothing back.
"""

from __future__ import annotations

import re
from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import Token
from deploys.formats.reading import json_of, line, milliseconds, part, place_of, text
from deploys.formats.webhook import Inbound, Message, Said, SourceKind, UnexpectedPayload, UnsupportedEvent, ignored

PHASES: Final = {
    "Waiting": "in_progress",
    "Progressing": "in_progress",
    "WaitingPromotion": "in_progress",
    "Promoting": "in_progress",
    "Finalising": "in_progress",
    "Succeeded": "success",
    "Failed": "failure",
}
_WEIGHT: Final = re.compile(r"canary weight (\d{1,3})\b")


def read(inbound: Inbound) -> list[Message]:
    """One event of one canary. A specification that is rolled out again has the same checksum, and so the same deploy."""
    payload = json_of(inbound.body)
    name, namespace = text(payload, "name"), text(payload, "namespace", longest=100)
    checksum, phase = text(payload, "checksum", longest=60), text(payload, "phase", longest=40)
    metadata = part(payload, "metadata")
    said = line(metadata.get("eventMessage"), 2000)
    if said is None:
        raise UnsupportedEvent("expected an event (a hook of type event); this address answers no gates")
    at = milliseconds(metadata.get("timestamp"))
    if at is None:
        raise UnexpectedPayload("metadata.timestamp: expected epoch milliseconds")
    identity = f"{namespace}/{name[:60]}/{checksum}"[:200]
    delivery = f"{identity[:140]} {phase} {int(at.timestamp() * 1000)}"
    if phase not in PHASES:
        return ignored(phase, f"{phase}: nothing is rolled out", delivery)
    weight = _WEIGHT.search(said)
    status = PHASES[phase]
    report = DeployReport(
        id=identity,
        service=name,
        environment=place_of(metadata.get("environment") or metadata.get("env"), namespace),
        status=status,
        started_at=at if said.startswith("New revision detected") else None,
        finished_at=None if status == "in_progress" else at,
        release=checksum,
        strategy="canary",
        percent=min(100, int(weight[1])) if weight and status == "in_progress" else None,
    )
    return [Message(phase, delivery, [Said(report, f"{namespace}/{name}", trigger=name)])]


KIND: Final = SourceKind(
    slug="flagger", title="Flagger", schemes=(Token(in_address=True),), read=read, forgives=True, events="the event hook",
    setup="The Canary's analysis.webhooks: a hook of type event, and the URL with ?token= and the secret.",
)  # fmt: skip
