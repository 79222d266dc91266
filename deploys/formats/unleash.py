"""Unleash's webhook with its default body, the event itself. Field names: its public event format."""

from __future__ import annotations

from typing import Any, Final

from deploys.domain.changes import FlagReport
from deploys.domain.signatures import Token
from deploys.formats.reading import instant, json_of, line, part, text
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, ignored, unsupported

#: An enabled environment serves by strategies, which these events do not tell.
BY_STRATEGIES: Final = {"strategies": "as Unleash has them"}
STRATEGIES: Final = frozenset({"feature-strategy-add", "feature-strategy-update"})
KNOWN: Final = (
    "feature-environment-enabled and -disabled, feature-strategy-add and -update, feature-created and -archived"
)


def read(inbound: Inbound) -> list[Message]:
    """One event, known by its number."""
    payload = json_of(inbound.body)
    event, number = text(payload, "type", longest=60), text(payload, "id", longest=60)
    delivery = f"{event} {number}"
    if not event.startswith("feature-"):
        return unsupported(event, KNOWN, delivery)
    said = _said(event, payload)
    if said is None:
        return unsupported(event, KNOWN, delivery)
    if not said:
        return ignored(event, "a strategy without a name says nothing of whom it reaches", delivery)
    at, environment = instant(payload, "createdAt"), line(payload.get("environment"), 100)
    for name in ("created_at", "archived_at"):
        if name in said:
            said[name] = at
    if "new_percent" in said:
        said |= {"id": delivery, "at": at}
    report = FlagReport(key=text(payload, "featureName"), environment=environment, **said)
    return [Message(event, delivery, [Said(report, line(payload.get("project")) or "")])]


def _said(event: str, payload: Json) -> dict[str, Any] | None:  # Any: arguments of a report
    """What the event means; None for an event of which nothing is recorded, empty where it says too little."""
    if event == "feature-environment-enabled":
        return {"new_percent": 100, "old_percent": 0, "segment": BY_STRATEGIES}
    if event == "feature-environment-disabled":
        return {"new_percent": 0}
    if event == "feature-archived":
        return {"new_percent": 0, "archived_at": None}
    if event == "feature-created":
        return {"created_at": None}
    if event in STRATEGIES:
        after, before = part(payload, "data"), part(payload, "preData")
        if not line(after.get("name")):
            return {}
        said = {"new_percent": _percent(after), "segment": _segment(after)}
        return {**said, "old_percent": _percent(before)} if before else said
    return None


def _percent(strategy: Json) -> float:
    """The share a strategy reaches; 100 of those it is about where it names no share."""
    stated = line(part(strategy, "parameters").get("rollout"), 10) or ""
    try:
        share = float(stated)
    except ValueError:
        share = 100
    return 0 if strategy.get("disabled") is True else share if 0 <= share <= 100 else 100


def _segment(strategy: Json) -> dict[str, Any] | None:  # Any: JSON
    """Whom a strategy is about; None for everybody."""
    said: dict[str, Any] = {}
    name = line(strategy.get("name"), 100)
    if name not in {"default", "flexibleRollout"}:
        said["strategy"] = name
    for key in ("constraints", "segments"):
        if strategy.get(key):
            said[key] = strategy[key]
    return said or None


KIND: Final = SourceKind(
    slug="unleash", title="Unleash", schemes=(Token(),), read=read, forgives=True, rules=("repository", "environment"),
    events="feature events", brings_secret=True,
    setup="Integrations, Webhook: paste the URL, and the secret as Authorization. Leave the body template empty.",
)  # fmt: skip
