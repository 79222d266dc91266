"""What is taken out, what stays, and what it costs nobody."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.scrubbing import DEFAULT, MAX_DEPTH, Rules, Scrubber, identity_hash, scrubber_for
from incidents.domain.secret_shapes import FILTERED
from tests.incidents.secrets import ordinary_texts

is_secret_name, scrub, scrub_text = DEFAULT.is_secret_name, DEFAULT.value, DEFAULT.text


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
        ("client 2001:db8:85a3::8a2e:370:7334: refused", "client [filtered]: refused"),
        ("net 2001:db8::/32", "net [filtered]/32"),
        ("from 203.0.113.9, 10.0.0.1", "from [filtered], 10.0.0.1"),
        ("tokens 4111+1111+1111+1111", "tokens [filtered]"),
        ("amex 3782 822463 10005", "amex [filtered]"),
        ("'ann%40example.com' left", "'[filtered]' left"),
        ("--password hunter2 -v", "--password [filtered] -v"),
        ("['--api-key', 'hunter2']", "['--api-key', '[filtered]']"),
        ("password: is required", "password: is required"),
        ("password='it''s'", "password='[filtered]''s'"),
        (r'password="a\"b" x', 'password="[filtered]" x'),
        ('password="never ends', 'password="[filtered]'),
        ('password="""x', 'password="""[filtered]'),
        ("token " + "z" * 300 + " token=abc", "token " + "z" * 300 + " token=[filtered]"),
        ("gave eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "gave [filtered]"),
        ("https://hooks.slack.com/services/T00000000/B00000000/abcdefgh", "https://hooks.slack.com/[filtered]"),
        ("credentials: {user: a, key: (b)} x", "credentials: [filtered] x"),
        ("credentials: [a, b", "credentials: [filtered]"),
        ("password=", "password="),
        ("password=[filtered]&x=1", "password=[filtered]&x=1"),
        ('Authorization: Digest username="ann", nc=1', "Authorization: [filtered]"),
        ("Cookie: a=b; c=d, next", "Cookie: [filtered], next"),
        ("Token abcdefghijklmnop9", "Token [filtered]"),
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic [filtered]"),
        ("curl -u ann:hunter2 x", "curl -u [filtered] x"),
        ("<a><password>x y</password></a>", "<a><password>[filtered]</password></a>"),
        ('form-data; name="pin"\r\n\r\n1234\r\n', 'form-data; name="pin"\r\n\r\n[filtered]\r\n'),
        ('form-data; name="n"\r\n\r\n1234\r\n', 'form-data; name="n"\r\n\r\n1234\r\n'),
        ('{"token": "abcdef"}', '{"token": "[filtered]"}'),
        ('["--token", "abcdef"]', '["--token", "[filtered]"]'),
        ('{"note": "nothing"}', '{"note": "nothing"}'),
        ("body eyJwYXNzd29yZCI6ICJodW50ZXIyISJ9", "body [filtered]"),
        ("client 2001:db8:85a3::8a2e:370:7334 left", "client [filtered] left"),
    ],
)
def test_secrets_in_texts(text: str, expected: str) -> None:
    assert scrub_text(text) == expected


@pytest.mark.parametrize(
    "text",
    ["order 1234567890123456 not found", "0000000000000000", "version v1.2.3.4", "10.0.3.7 refused", "at 12:30:45.123",
     "std::vector<int>::at", "2026-11-21T01:10:18.123Z", "decorator @cached", "9ec79c33ec9942ab8353589fcb2e04dc",
     "KeyError: 'sku'", "tokenize the key", "1795223418.5", "shop@1.4.0", "logo@2x.png", "git@code.internal", "2001:zz::1",
     "2001:db8:1", "version 8.8.8.8", "Chrome/120.0.0.0", "basic functionality", "token 12345678", "2f3a4b5c6d7e8f901a2b", "{not json}"],
)  # fmt: skip
def test_clean_texts_stay_as_they_are(text: str) -> None:
    assert scrub_text(text) == text


def test_ordinary_texts_are_hardly_ever_touched() -> None:
    texts = ordinary_texts()

    touched = [text for text in texts if scrub_text(text) != text or DEFAULT.text(text, is_code=True) != text]
    assert len(texts) >= 500
    assert len(touched) / len(texts) < 0.01, touched


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("    def sign_in(self, password: str, token=None):", None),
        ("    token = request.headers.get(name)", None),
        ('    password = "hunter2"', '    password = "[filtered]"'),
        ("    password = b'hunter2'", "    password = b'[filtered]'"),
        ("    pin = 1234", "    pin = [filtered]"),
        ("export API_KEY=abc123", "export API_KEY=[filtered]"),
    ],
)
def test_in_lines_of_code_only_literals_are_secrets(line: str, expected: str | None) -> None:
    assert scrub({"context_line": line, "pre_context": [line, 1], "post_context": 7}) == {
        "context_line": expected or line,
        "pre_context": [expected or line, 1],
        "post_context": 7,
    }


def test_numbers_and_flags_under_telling_names() -> None:
    found = scrub(
        {"pin": 1234, "password": True, "email": "", "token": None, "n": 4111111111111111, "at": 1795223418500123}
    )

    assert found == {
        "pin": FILTERED,
        "password": True,
        "email": "",
        "token": None,
        "n": FILTERED,
        "at": 1795223418500123,
    }


def test_rows_announce_their_values() -> None:
    assert scrub(["x", "--password", "a b", "-v", "Authorization", "z", "Accept", "y"]) == [
        "x", "--password", FILTERED, "-v", "Authorization", FILTERED, "Accept", "y",
    ]  # fmt: skip
    assert scrub({"name": "X-Api-Key", "value": "abc"}) == {"name": "X-Api-Key", "value": FILTERED}
    assert scrub({"name": "page", "value": "abc"}) == {"name": "page", "value": "abc"}


def test_the_cut_of_a_long_text_leaves_no_half_secret() -> None:
    text = scrub_text("x" * 8_180 + " ann@example.com")

    assert text == "x" * 8_180 + " [filtered]…"


def test_a_team_adds_names_and_patterns_and_keeps_what_it_wants() -> None:
    strict = Scrubber(Rules(names=frozenset({"customerRef"}), patterns=("CUST-####", "acct_*")))
    open_ = Scrubber(
        Rules(safe_names=frozenset({"session"}), keeps_locals=True, keeps_addresses=True, keeps_emails=True)
    )
    report = {
        "customer_ref": "a7", "text": "CUST-1234 of acct_x, customer-ref=q9, a@b.example", "ip": "8.8.8.8", "vars": {"x": 1, "pin": 2},
        "session": "s",
    }  # fmt: skip

    assert strict.value(report) == {
        "customer_ref": FILTERED, "text": f"{FILTERED} of {FILTERED} customer-ref={FILTERED}, {FILTERED}", "ip": FILTERED, "session": FILTERED,
    }  # fmt: skip
    assert open_.value(report) == report | {"vars": {"x": 1, "pin": FILTERED}}
    assert Scrubber(Rules(patterns=("a-b",))).text("a-b") == FILTERED


def test_scrubbers_are_remembered_by_their_rules() -> None:
    rules = Rules(names=frozenset({"x"}))

    assert (scrubber_for(Rules()) is DEFAULT, scrubber_for(rules) is scrubber_for(Rules(names=frozenset({"x"})))) == (
        True,
        True,
    )


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
        "headers": [["Accept", "text/html"], ["Cookie", FILTERED], ["Cookie", FILTERED, "b"]]
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


def test_texts_inside_texts_are_opened_so_often_and_no_further() -> None:
    text = "nothing to hide in these words, only length and blanks"
    for _ in range(6):
        text = base64.b64encode(text.encode()).decode()

    assert scrub_text(text) == text
