"""Flagsmith's webhooks of an environment: FLAG_UPDATED and FLAG_DELETED. Field names: its documentation of webhooks."""

from __future__ import annotations

from typing import Any, Final

from deploys.domain.changes import FlagReport
from deploys.domain.signatures import Hmac
from deploys.formats.reading import instant, json_of, line, moment, needed, part, text
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, UnexpectedPayload, unsupported


def read(inbound: Inbound) -> list[Message]:
    """One change. No delivery is named: it is known by flag, environment, segment, user and time."""
    payload = json_of(inbound.body)
    event = text(payload, "event_type", longest=60)
    if event not in {"FLAG_UPDATED", "FLAG_DELETED"}:
        return unsupported(event, "FLAG_UPDATED and FLAG_DELETED")
    data = needed(payload, "data")
    before, after = part(data, "previous_state"), part(data, "new_state")
    state, at = after or before, instant(data, "timestamp", "data")
    feature, environment = needed(state, "feature"), needed(state, "environment")
    key, is_gone = text(feature, "name", "feature"), event == "FLAG_DELETED"
    delivery = " ".join(
        (
            event,
            line(feature.get("id"), 20) or key[:50],
            line(environment.get("id"), 20) or "",
            _whose(state)[:60],
            at.isoformat(),
        )
    )
    report = FlagReport(
        key=key,
        environment=text(environment, "name", "environment", 100),
        id=delivery[:200],
        at=at,
        new_percent=0 if is_gone else _percent(state),
        old_percent=_percent(before) if before else None,
        segment=None if is_gone else _segment(state),
        created_at=moment(feature.get("created_date")),
        archived_at=at if is_gone else None,
    )
    return [Message(event, delivery, [Said(report, line(part(feature, "project").get("name")) or "")])]


def _percent(state: Json) -> float:
    if not isinstance(state.get("enabled"), bool):
        raise UnexpectedPayload("enabled: expected true or false")
    return 100 if state["enabled"] else 0


def _whose(state: Json) -> str:
    segment = part(state, "feature_segment", "segment") or part(state, "feature_segment")
    return line(segment.get("name")) or line(segment.get("id")) or line(state.get("identity_identifier")) or ""


def _segment(state: Json) -> dict[str, Any] | None:  # Any: JSON
    """Whom an override is about, or how a value is split; None where the state is everybody's."""
    if whose := _whose(state):
        return {"user" if line(state.get("identity_identifier")) else "segment": whose}
    return {"split": "several values"} if state.get("multivariate_feature_state_values") else None


KIND: Final = SourceKind(
    slug="flagsmith", title="Flagsmith", schemes=(Hmac("X-Flagsmith-Signature"),), read=read, forgives=True,
    rules=("repository", "environment"), events="changes of features", brings_secret=True,
    setup="Environment settings, Webhooks, Create webhook: paste URL and secret.",
)  # fmt: skip
