"""The envelope grammar: round trips, the written edge cases, and hostile bytes."""

from __future__ import annotations

import base64
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.formats.envelope import Dsn, Item, ItemTooLarge, MalformedEnvelope, canonical_id, parse, parse_dsn
from tests.incidents.recordings import every

ID = "9ec79c33ec9942ab8353589fcb2e04dc"


def envelope(*lines: bytes) -> bytes:
    return b"\n".join((b'{"event_id":"%s"}' % ID.encode(), *lines))


def test_header_fields_are_read() -> None:
    text = (
        b'{"event_id":"9ec79c33-ec99-42ab-8353-589fcb2e04dc","sent_at":"2026-11-21T01:09:29.5Z",'
        b'"dsn":"https://key@errors.example.com/prefix/42"}\n{"type":"event"}\n{}'
    )

    parsed = parse(text)

    assert parsed.event_id == ID
    assert parsed.sent_at == datetime(2026, 11, 21, 1, 9, 29, 500_000, tzinfo=UTC)
    assert parsed.dsn == Dsn(public_key="key", project=42)
    assert parsed.items == (Item("event", b"{}", {"type": "event"}),)


@given(
    items=st.lists(
        st.tuples(st.sampled_from(["session", "attachment", "new_thing"]), st.binary(max_size=60)), max_size=8
    ),
    final_newline=st.booleans(),
)
def test_items_with_a_length_round_trip_whatever_their_bytes(
    items: list[tuple[str, bytes]], final_newline: bool
) -> None:
    lines = [line for kind, body in items for line in (json.dumps({"type": kind, "length": len(body)}).encode(), body)]

    parsed = parse(envelope(*lines) + b"\n" * final_newline)

    assert [(item.type, item.payload) for item in parsed.items] == items


@pytest.mark.conformance
def test_the_written_edge_cases(shared: Path) -> None:
    cases = json.loads((shared / "fixtures/sentry-envelopes/edge-cases.json").read_text())["cases"]
    found: dict[str, object] = {}
    for case in cases:
        try:
            items = parse(base64.b64decode(case["body_b64"])).items
            found[case["name"]] = {
                "items": [{"type": i.type, "payload_b64": base64.b64encode(i.payload).decode()} for i in items]
            }
        except MalformedEnvelope:
            found[case["name"]] = {"error": "malformed"}

    assert found == {case["name"]: case["expect"] for case in cases}


@pytest.mark.conformance
def test_every_recorded_client_is_understood(shared: Path) -> None:
    counts = {each.name: len(parse(each.body).items) for each in every(shared) if not each.path.endswith("/store/")}

    assert len(counts) > 40
    assert [name for name, count in counts.items() if not count] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "envelope header"),
        (b"hello\n", "envelope header"),
        (b"[]", "envelope header"),
        (b'{"event_id":"../../etc/passwd"}', "no UUID"),
        (b'{"dsn":"nonsense"}', "no DSN"),
        (b'{"dsn":5}', "no DSN"),
        (envelope(b"{}", b"x"), "no type"),
        (envelope(b'{"type":7}', b"x"), "no type"),
        (envelope(b"nonsense", b"x"), "item 1"),
        (envelope(b'{"type":"event","length":-5}', b"{}"), "whole number"),
        (envelope(b'{"type":"event","length":true}', b"{}"), "whole number"),
        (envelope(b'{"type":"event","length":"2"}', b"{}"), "whole number"),
        (envelope(b'{"type":"event","length":10}', b"{}"), "before its length"),
        (envelope(b'{"type":"event","length":1}', b"{}"), "bytes after"),
        (envelope(b'{"type":"event"}', b"{}", b"", b'{"type":"event"}', b"{}"), "empty line"),
        (envelope(b'{"type":"event"}', b"{}", b'{"type":"event"}', b"{}"), "more than one event"),
        (envelope(*[b'{"type":"x"}', b""] * 1_001), "more than 1000 items"),
        (b'{"a":"' + b"x" * 9_000 + b'"}', "longer than"),
    ],
)
def test_malformed_envelopes_say_what_is_wrong(text: bytes, message: str) -> None:
    with pytest.raises(MalformedEnvelope, match=message):
        parse(text)


def test_carriage_returns_and_blank_ends_do_no_harm() -> None:
    parsed = parse(envelope(b'{"type":"event","length":2}\r', b"{}\r", b'{"type":"session"}', b"{}", b"", b" \r\n"))

    assert [(item.type, item.payload) for item in parsed.items] == [("event", b"{}"), ("session", b"{}")]


def test_limits_are_by_type() -> None:
    text = envelope(b'{"type":"event"}', b"x" * 11)

    assert len(parse(text, limits={"event": 11, "session": 1}).items) == 1
    with pytest.raises(ItemTooLarge):
        parse(text, limits={"event": 10})


@given(
    data=st.binary(max_size=400)
    | st.lists(st.sampled_from([b"{}", b"\n", b'{"type":"event"', b',"length":3}', b"}", b"abc"])).map(b"".join)
)
def test_no_bytes_raise_another_error(data: bytes) -> None:
    with contextlib.suppress(MalformedEnvelope):
        parse(data)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ID, ID), (ID.upper(), ID), ("9ec79c33-ec99-42ab-8353-589fcb2e04dc", ID),
        ("zzz", None), ("", None), (None, None), (5, None), ("z" * 32, None), ("٣" * 32, None),
    ],
)  # fmt: skip
def test_canonical_id(value: object, expected: str | None) -> None:
    assert canonical_id(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://key@host/1", Dsn("key", 1)),
        ("http://key:secret@127.0.0.1:9040/some/prefix/42", Dsn("key", 42)),
        ("https://host/1", None), ("https://key@host/", None), ("https://key@host/abc", None), ("", None),
        ("http://[::1", None), ("https://key@host/" + "9" * 40, None), ("//key@/1", None),
    ],
)  # fmt: skip
def test_parse_dsn(text: str, expected: Dsn | None) -> None:
    assert parse_dsn(text) == expected
