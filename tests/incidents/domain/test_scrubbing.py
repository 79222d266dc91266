"""What is taken out, what stays, and what it costs nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.scrubbing import FILTERED, MAX_DEPTH, identity_hash, is_secret_name, scrub, scrub_text


@pytest.mark.parametrize(
    "name",
    ["password", "passwd", "Password2", "db_password", "secret", "client_secret", "api_key", "API-Key", "x-api-key", "apikey",
     "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "csrftoken", "X-CSRF-Token", "access_token", "token",
     "auth_token", "sessionid", "session_id", "private_key", "credit_card", "card_number", "cvv", "email", "REMOTE_ADDR",
     "X-Forwarded-For", "ip_address", "dsn", "pwd", "credentials", "pin", "id_token", "user_email", "phone", "aws_secret_access_key"],
)  # fmt: skip
def test_telling_names(name: str) -> None:
    assert is_secret_name(name)
    assert scrub({"a": {name: ["anything", {"x": 1}]}}) == {"a": {name: FILTERED}}


@pytest.mark.parametrize(
    "name",
    ["author", "key", "message", "filename", "tokenizer", "secretary_general"[:3], "session_count", "keyboard", "passenger",
     "shipping", "compass", "description", "spinner", "accept", "user-agent", "monkey", "bypass"],
)  # fmt: skip
def test_innocent_names(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail to ann.b+c@mail.example.com now", "mail to [filtered] now"),
        ("card 4111 1111 1111 1111 declined", "card [filtered] declined"),
        ("card 4111-1111-1111-1111", "card [filtered]"),
        ("5500005555555559", "[filtered]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def_1 expired", "[filtered] expired"),
        ("GET /x?token=abc&page=2", "GET /x?token=[filtered]&page=2"),
        ("password: hunter2, user: ann", "password: [filtered], user: ann"),
        ('{"api_key": "abc", "n": 1}', '{"api_key": "[filtered]", "n": 1}'),
        ("Authorization: Bearer abcdefgh12345", "Authorization: [filtered]"),
        ("sent Bearer abcdefgh12345", "sent Bearer [filtered]"),
        ("postgres://ann:pw@db.internal/shop", "postgres://[filtered]@db.internal/shop"),
        ("AKIAIOSFODNN7EXAMPLE used", "[filtered] used"),
        ("ghp_" + "a" * 36, "[filtered]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "[filtered]"),
        ("client 8.8.8.8 left", "client [filtered] left"),
        ("client 2001:db8:85a3::8a2e:370:7334 left", "client [filtered] left"),
    ],
)
def test_secrets_in_texts(text: str, expected: str) -> None:
    assert scrub_text(text) == expected


@pytest.mark.parametrize(
    "text",
    ["order 1234567890123456 not found", "0000000000000000", "version v1.2.3.4", "10.0.3.7 refused", "at 12:30:45.123",
     "std::vector<int>::at", "2026-11-21T01:10:18.123Z", "decorator @cached", "9ec79c33ec9942ab8353589fcb2e04dc",
     "KeyError: 'sku'", "tokenize the key", "1795223418.5", "shop@1.4.0"],
)  # fmt: skip
def test_clean_texts_stay_as_they_are(text: str) -> None:
    assert scrub_text(text) == text


def test_local_variables_go_whole() -> None:
    assert scrub({"frames": [{"function": "f", "vars": {"x": 1}}]}) == {"frames": [{"function": "f"}]}


def test_width_depth_and_length_are_bounded() -> None:
    deep: object = "x"
    for _ in range(5_000):
        deep = [deep]

    levels, value = 0, scrub(deep)
    while isinstance(value, list):
        levels, value = levels + 1, value[0]
    assert (levels, value) == (MAX_DEPTH, "…")
    assert len(str(scrub({"a": "x" * 100_000}))) < 9_000
    assert len(scrub([0] * 9_999)) == 250  # type: ignore[arg-type]  # a list stays a list


def test_mappings_are_bounded_in_depth() -> None:
    deep: object = "x"
    for _ in range(MAX_DEPTH + 3):
        deep = {"a": deep}
    expected: object = "…"
    for _ in range(MAX_DEPTH):
        expected = {"a": expected}

    assert scrub(deep) == expected


def test_headers_also_come_as_pairs() -> None:
    headers = [["Accept", "text/html"], ["Cookie", "sid=1"], ["Cookie", "a", "b"]]

    assert scrub({"headers": headers}) == {
        "headers": [["Accept", "text/html"], ["Cookie", FILTERED], ["Cookie", "a", "b"]]
    }


def test_four_numbers_with_dots_that_are_no_address_stay() -> None:
    assert scrub_text("build 300.1.2.3 of 8.8.8.8") == "build 300.1.2.3 of [filtered]"


def test_identities_differ_by_team_and_cannot_be_read() -> None:
    one, other = identity_hash("u1", salt=b"a"), identity_hash("u1", salt=b"b")

    assert (len(one), one == other, identity_hash("u1", salt=b"a") == one, identity_hash("", salt=b"a")) == (
        32,
        False,
        True,
        "",
    )


@given(
    value=st.recursive(
        st.none() | st.integers() | st.floats() | st.text() | st.from_regex(r"[\d .:@=/eyJ-]{0,80}"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_value_can_be_scrubbed_and_twice_is_once(value: object) -> None:
    once = scrub(value)

    assert repr(scrub(once)) == repr(once)
