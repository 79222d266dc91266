"""Keeping what a replay needs, and taking a delivery again.

Only deliveries whose proof was valid are kept: body and the headers that name event and delivery, encrypted with the
instance's key, up to 256 KB, for seven days. No proof is kept, so nothing of it can be sent on.
"""

from __future__ import annotations

import base64
import json
from typing import Final

from deploys import clock
from deploys.actions.deliveries import log_delivery
from deploys.actions.intake import Taken, take
from deploys.actions.secrets import decrypt, encrypt
from deploys.formats.sources import KINDS
from deploys.formats.webhook import Inbound, NotTaken, SourceKind
from deploys.models import Delivery, Source

LONGEST: Final = 256 * 1024
REPLAYED: Final = "replayed"


class NotReplayable(Exception):
    """The delivery's raw body is not kept, or no longer; the argument says why."""


def kept_for_replay(kind: SourceKind, inbound: Inbound) -> bytes | None:
    """The request as it is stored; None where the body is longer than 256 KB."""
    if len(inbound.body) > LONGEST:
        return None
    headers = inbound.kept([kind.event_header, kind.delivery_header, *kind.keeps, "Content-Type"])
    return encrypt(json.dumps({"headers": headers, "body": base64.b64encode(inbound.body).decode()}))


def replay(delivery: Delivery) -> Delivery:
    """Takes the delivery again, under the rules of now, and logs that. What was recorded before is not recorded twice.

    NotReplayable where the raw body is gone. UnreadableSecret where the instance's key has changed.
    """
    source = delivery.source
    if source is None or delivery.raw_encrypted is None:
        raise NotReplayable("the raw body is kept for seven days, and only if the signature was valid")
    if not source.is_active:
        raise NotReplayable("the webhook is switched off")
    kept = json.loads(decrypt(delivery.raw_encrypted))
    inbound = Inbound(base64.b64decode(kept["body"]), kept["headers"], delivery.received_at)
    kind = KINDS[source.kind]
    lines = [_log(delivery, source, taken, event) for taken, event in _taken(source, kind, inbound)]
    return lines[0]


def _taken(source: Source, kind: SourceKind, inbound: Inbound) -> list[tuple[Taken, str]]:
    try:
        messages = kind.read(inbound)
    except NotTaken as error:
        return [(Taken(Delivery.Verdict.REFUSED, f"{error.slug}: {error}"), "")]
    return [
        (take(source=source, kind=kind, message=each, received_at=clock.now(), is_replay=True), each.event)
        for each in messages
    ]


def _log(delivery: Delivery, source: Source, taken: Taken, event: str) -> Delivery:
    return log_delivery(
        team=source.team, source=source, kind=source.kind, event=event or delivery.event,
        delivery_id=delivery.delivery_id, signature=REPLAYED, received_at=clock.now(), verdict=taken.verdict,
        reason=taken.reason, change=taken.change, service=taken.service or source.service, replay_of=delivery,
    )  # fmt: skip
