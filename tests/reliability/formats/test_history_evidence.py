from __future__ import annotations

from datetime import UTC, datetime

from incidents.domain.event import ErrorEvent, Frame, ParsedEvent
from reliability.formats.history_evidence import parsed_event

TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)


def test_an_error_line_as_the_digest_reads_it() -> None:
    payload = {
        "event_id": "e",
        "timestamp": "2026-03-03T10:00:00Z",
        "environment": "eu",
        "release": "2",
        "type": "KeyError",
        "message": "total",
        "frames": [{"file": "a.py", "function": "f", "line": 3, "in_app": True}, {"file": "b.py"}, "?"],
        "user": "u1",
        "host": "web-1",
        "tags": {"plan": 5},
        "flags": {"cart": True},
    }

    frames = (Frame("a.py", "", "f", 3, in_app=True), Frame("b.py"))
    assert parsed_event(payload) == ParsedEvent(
        ErrorEvent(
            event_id="e",
            timestamp=TEN,
            type="KeyError",
            message="total",
            environment="eu",
            release="2",
            frames=frames,
            host="web-1",
            user="u1",
            tags={"plan": "5"},
            flags={"cart": True},
        )
    )


def test_what_is_not_told_is_empty() -> None:
    assert parsed_event({"event_id": "e", "timestamp": 1772532000}) == ParsedEvent(ErrorEvent("e", TEN))
