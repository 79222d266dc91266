"""Which events are the same error: grouping, versioned.

A new rule gets a new version; issues keep the version they were made by, so a better rule never splits history
in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from incidents.domain.event import ErrorEvent
from incidents.domain.frames import culprit
from incidents.domain.messages import Message, normalise

VERSION = 1
DEFAULT = "{{ default }}"
"""In a fingerprint sent by an SDK this word stands for the rule of this module."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """``key`` is a hex digest that starts with the version; ``explanation`` says to a reader what it was made from."""

    key: str
    version: int
    type: str
    message: Message
    culprit: str
    explanation: tuple[str, ...]


def group(event: ErrorEvent, sent: Sequence[str] = ()) -> Grouping:
    """Group one event; ``sent`` is the fingerprint the SDK was told to use, if any.

    The parts are the type, the message without values and the innermost own place of the stack. An event without type
    and message falls back to its transaction, then its logger.
    """
    message = normalise(event.message)
    place = culprit(event.frames)
    parts = [("type", event.type), ("message", message.text), ("place", place)]
    if not event.type and not message.text:
        parts += [("transaction", event.transaction), ("logger", event.logger)]
    elif not event.type and not place:
        parts.append(("logger", event.logger))
    if sent and list(sent) != [DEFAULT]:
        custom = [("fingerprint", part) for part in sent if part != DEFAULT]
        parts = custom + (parts if DEFAULT in sent else [])
    said = [(name, value) for name, value in parts if value]
    digest = hashlib.sha256(
        "\0".join(f"{name}\1{value}" for name, value in said).encode("utf-8", "replace")
    ).hexdigest()
    return Grouping(
        key=f"{VERSION}:{digest[:40]}",
        version=VERSION,
        type=event.type,
        message=message,
        culprit=place,
        explanation=tuple(f"{name}: {value}" for name, value in said),
    )


def fingerprint(event: ErrorEvent, sent: Sequence[str] = ()) -> str:
    """The grouping key alone."""
    return group(event, sent).key
