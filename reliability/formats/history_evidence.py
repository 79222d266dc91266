"""Evidence lines of the history format as the rooms that store evidence read them."""

from __future__ import annotations

from collections.abc import Mapping

from deploys.domain.instants import parse_instant
from deploys.domain.records import Payload
from incidents.domain.event import ErrorEvent, Frame, ParsedEvent


def parsed_event(payload: Payload) -> ParsedEvent:
    """An error report from a checked `error` payload."""
    tags = payload.get("tags")
    flags = payload.get("flags")
    return ParsedEvent(
        ErrorEvent(
            event_id=str(payload["event_id"]),
            timestamp=parse_instant(payload["timestamp"]),
            type=_text(payload.get("type")),
            message=_text(payload.get("message")),
            environment=_text(payload.get("environment")) or "production",
            release=_text(payload.get("release")),
            frames=tuple(_frame(frame) for frame in _list(payload.get("frames")) if isinstance(frame, Mapping)),
            host=_text(payload.get("host")),
            user=_text(payload.get("user")),
            tags={str(key): str(value) for key, value in tags.items()} if isinstance(tags, Mapping) else {},
            flags={str(key): bool(value) for key, value in flags.items()} if isinstance(flags, Mapping) else {},
        )
    )


def _frame(frame: Mapping[str, object]) -> Frame:
    line, in_app = frame.get("line"), frame.get("in_app")
    return Frame(
        file=_text(frame.get("file")),
        function=_text(frame.get("function")),
        line=line if isinstance(line, int) else 0,
        in_app=in_app if isinstance(in_app, bool) else None,
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
