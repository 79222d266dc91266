"""A body as a person may see it: scrubbed, cut, and never raw."""

from __future__ import annotations

import gzip
import json

from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.scrubbing import DEFAULT
from incidents.formats.shown_body import LONGEST, LONGEST_TEXT, ShownBody, ShownPart, shown_body

SECRET = "hunter2-correct-horse"


def shown(body: bytes, kind: str = "envelope", coding: str = "") -> ShownBody:
    return shown_body(body, kind=kind, coding=coding, scrubber=DEFAULT)


def test_an_envelope_is_taken_apart_and_scrubbed() -> None:
    event = json.dumps({"message": "no", "password": SECRET, "user": {"email": "ida@example.org"}}).encode()
    body = b"\n".join(
        [
            b'{"dsn":"https://' + SECRET.encode() + b'@host/1"}', b'{"type":"event"}', event,
            b'{"type":"attachment","length":5}', b"bytes", b'{"type":"odd\\u0000"}', b"{}",
        ]
    )  # fmt: skip

    found = shown(gzip.compress(body), coding="gzip")

    assert [(part.name, part.note) for part in found.parts] == [
        ("envelope header", ""),
        ("event", ""),
        ("attachment", "a file: only its size is shown"),
        ("odd", ""),
    ]
    assert json.loads(found.parts[1].text) == {
        "message": "no",
        "password": "[filtered]",
        "user": {"email": "[filtered]"},
    }
    assert (found.decoded_bytes, found.problem) == (len(body), "")
    assert SECRET not in repr(found)


def test_a_stored_event_is_one_part_and_is_cut() -> None:
    body = json.dumps({"extra": [["word"] * 20] * 100}).encode()

    (part,) = shown(body, kind="store").parts

    assert (part.name, len(part.text), part.note) == ("the event", LONGEST, "cut")


def test_what_does_not_decode_shows_its_size_alone() -> None:
    assert shown(b"not gzip", coding="gzip") == ShownBody(
        (ShownPart("the whole body", 8, note="it cannot be decoded, so only its size is shown"),),
        problem="damaged gzip body",
    )


def test_text_that_is_no_json_is_shown_short_and_scrubbed() -> None:
    body = f'{{"password": "{SECRET}", broken '.encode() + b"a" * 5_000

    found = shown(body)

    (part,) = found.parts
    assert found.problem == "the envelope header is not a JSON object"
    assert (part.note, len(part.text)) == ("no JSON: the beginning as text", LONGEST_TEXT)
    assert SECRET not in part.text
    assert shown(b"short").parts[0].note == "no JSON"


def test_a_secret_at_the_edge_of_the_text_does_not_slip_through() -> None:
    body = b"x" * (LONGEST_TEXT - 10) + b" ida.holm@example.org"

    assert "ida" not in shown(body).parts[0].text


def test_bytes_and_emptiness_show_their_size_alone() -> None:
    note = "it is no text: only its size is shown"

    assert shown(b"\xff\xfe\x00\x01" * 50).parts == (ShownPart("the whole body", 200, note=note),)
    assert shown(b"  ").parts == (ShownPart("the whole body", 2, note=note),)


def test_items_beyond_the_twentieth_are_counted() -> None:
    body = b"{}\n" + b'{"type":"log"}\n{}\n' * 25

    found = shown(body)

    assert (len(found.parts), found.problem) == (21, "5 more items are not shown")


def test_what_no_page_can_carry_is_replaced() -> None:
    assert shown(b'{"a":"\\ud800"}', kind="store").parts[0].text == '{\n  "a": "\N{REPLACEMENT CHARACTER}"\n}'


@given(
    st.binary(max_size=300), st.sampled_from(["envelope", "store"]), st.sampled_from(["", "gzip", "br", "zstd", "odd"])
)
def test_nothing_raises_and_everything_can_be_sent(body: bytes, kind: str, coding: str) -> None:
    for part in shown(body, kind=kind, coding=coding).parts:
        part.text.encode()
