"""The JSON gate: strict where it can be, scrubbing where a client needs it, and never anything but its own error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.formats.strict_json import InvalidJson, check_object, clean_text, loads, loads_object

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet="abc"), inner),
    max_leaves=20,
)  # fmt: skip


@given(value=JSON_VALUES)
def test_proper_json_comes_out_as_it_went_in(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": "x\\u0000y"}', {"a": "xy"}),
        (b'{"a\\u0000": ["\\u0000"]}', {"a": [""]}),
        (b'["cut \\ud83d"]', ["cut \ufffd"]),
        (b'["\\ud83d\\ude00 \\udc00"]', ["\U0001f600 \ufffd"]),
        (b'{"a": NaN, "b": [Infinity, -Infinity]}', {"a": None, "b": [None, None]}),
        (b"[" + b"9" * 5_000 + b"]", [None]),
        (b'["\\ud800", ' + b"9" * 40 + b"]", ["\ufffd", 1e40]),
        (b"[1e999]", [None]),
        (b"\xef\xbb\xbf{}", {}),
        (b'["\xff"]', ["\ufffd"]),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_what_databases_refuse_is_scrubbed(text: bytes, value: object) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b'{"a": }', b"hello", b"[1,]", b"[" * 50_000 + b"]" * 50_000, b"[" * 1_500 + b"]" * 1_500, b"\x00"],
)
def test_what_is_no_json_or_too_deep_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidJson):
        loads(text)


def test_an_object_is_asked_for() -> None:
    assert loads_object(b'{"a": []}') == {"a": []}
    with pytest.raises(InvalidJson, match="list"):
        loads_object(b"[1]")


def is_object(text: bytes) -> bool:
    try:
        loads_object(text)
    except InvalidJson:
        return False
    return True


def passes(text: bytes) -> bool:
    try:
        check_object(text)
    except InvalidJson:
        return False
    return True


@given(
    value=st.dictionaries(st.text(max_size=3), JSON_VALUES, max_size=4) | JSON_VALUES,
    place=st.floats(0, 1),
    put=st.binary(max_size=3) | st.sampled_from([b'"', b"{", b"}", b"[", b",", b"\\", b"\\u0000", b"NaN", b"1e999", b"\xff", b""]),
    cut=st.integers(0, 2),
)  # fmt: skip
def test_what_is_checked_is_what_can_be_read(value: object, place: float, put: bytes, cut: int) -> None:
    """A proper text, and the same with a few bytes put in the place of others."""
    proper = json.dumps(value).encode()
    at = round(place * len(proper))
    for text in (proper, proper[:at] + put + proper[at + cut :]):
        assert passes(text) == is_object(text), text


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{}", b" {} ", b"{} {}", b"[]", b"null", b'"a"', b'{"a": "\xff"}', b'{"\xff": 1}', b'{"a": "\\ud800"}', b'{"a": NaN}',
        b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": 1e999}', b"\xef\xbb\xbf{}", b'{"a": "\x01"}', b'{"a": 01}', b'{"a": 1,}', b'{"a": tru}',
        b'{"a": ' + b"[" * 300 + b"]" * 300 + b"}", b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", b'{"a": 1, "a": 2}',
        b"{'a': 1}", b'{"a": "\\x"}', b'{"a": 1', b'{"a": .5}', b'{"a": -}', b"\x00", b'{"event_id": 5}',
    ],
)  # fmt: skip
def test_odd_texts_are_checked_as_they_are_read(text: bytes) -> None:
    assert passes(text) == is_object(text)


@given(data=st.binary(max_size=300) | st.text(alphabet='{}[]",:\\u0dDeE+-.109NaInfity ', max_size=300).map(str.encode))
def test_no_bytes_raise_another_error_and_no_text_stays_unstorable(data: bytes) -> None:
    try:
        value = loads(data)
    except InvalidJson:
        return
    assert "\\u0000" not in json.dumps(value)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@given(text=st.text(alphabet=st.characters()))
def test_clean_text_is_always_storable(text: str) -> None:
    assert "\0" not in clean_text(text)
    clean_text(text).encode()
