"""Error reports of every client and age, and of none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.domain.event import ErrorEvent, Frame, ParsedEvent
from incidents.formats import envelope
from incidents.formats.sentry_event import frames_of, parse
from tests.incidents import recordings

ID = "9ec79c33ec9942ab8353589fcb2e04dc"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def read(payload: dict[str, object]) -> ParsedEvent:
    return parse(payload, event_id=ID, received_at=NOW)


def recorded(path: Path) -> list[ParsedEvent]:
    """The events of one recording, read the way the digest does."""
    found = []
    for request in recordings.read(path):
        if request.path.endswith("/store/"):
            payloads = [json.loads(request.body)]
        else:
            payloads = [json.loads(item.payload) for item in envelope.parse(request.body).items if item.type == "event"]
        found += [read(payload) for payload in payloads]
    return found


def test_a_full_report_is_read_whole() -> None:
    parsed = read(
        {
            "timestamp": 1795223418.5,
            "platform": "python",
            "level": "fatal",
            "exception": {
                "values": [
                    {"type": "KeyError", "value": "'sku'", "stacktrace": {"frames": [{"filename": "inner.py"}]}},
                    {
                        "type": "CheckoutError",
                        "value": "no such article",
                        "mechanism": {"handled": False},
                        "stacktrace": {
                            "frames": [
                                {"filename": "lib.py", "in_app": False, "lineno": 3},
                                {
                                    "filename": "shop.py",
                                    "module": "shop",
                                    "function": "pay",
                                    "lineno": 7,
                                    "in_app": True,
                                },
                            ]
                        },
                    },
                ]
            },
            "release": "shop@1.4.0",
            "environment": "staging",
            "server_name": "web-1",
            "transaction": "/pay",
            "user": {"id": 7, "email": "a@example.com"},
            "tags": {"region": "eu", "canary": True, "none": None},
            "contexts": {
                "trace": {"trace_id": "abc", "op": "http.server"},
                "flags": {"values": [{"flag": "new-checkout", "result": True}, {"flag": "theme", "result": "dark"}]},
            },
            "fingerprint": ["{{ default }}", "pay"],
        }
    )

    assert parsed.event == ErrorEvent(
        event_id=ID,
        timestamp=datetime(2026, 11, 21, 1, 10, 18, 500_000, tzinfo=UTC),
        type="CheckoutError",
        message="no such article",
        environment="staging",
        release="shop@1.4.0",
        frames=(Frame(file="lib.py", line=3, in_app=False), Frame("shop.py", "shop", "pay", 7, True)),
        transaction="/pay",
        host="web-1",
        user="7",
        session="abc",
        tags={"region": "eu", "canary": "true"},
        flags={"new-checkout": True},
    )
    assert (parsed.level, parsed.platform, parsed.sent_fingerprint) == ("fatal", "python", ("{{ default }}", "pay"))
    assert (parsed.crashed, parsed.from_request) == (True, True)


def test_an_empty_report_is_an_event_all_the_same() -> None:
    assert read({}) == ParsedEvent(event=ErrorEvent(event_id=ID, timestamp=NOW), payload=b"{}")


def test_the_frames_of_a_stored_report_have_full_paths() -> None:
    frames = [
        {"filename": "pay.py", "abs_path": "/srv/shop/pay.py", "lineno": 7},
        {"filename": "only.py", "lineno": "x"},
    ]
    payload: dict[str, object] = {"exception": {"values": [{"type": "E", "stacktrace": {"frames": frames}}]}}

    assert [frame.file for frame in read(payload).event.frames] == ["pay.py", "only.py"]
    assert frames_of(json.loads(read(payload).payload)) == (Frame("/srv/shop/pay.py", line=7), Frame("only.py"))


@pytest.mark.parametrize(
    ("payload", "user"),
    [
        ({"id": "u1", "username": "ann", "email": "a@b.c", "ip_address": "192.0.2.1"}, "u1"),
        ({"id": None, "username": "ann", "email": "a@b.c"}, "ann"),
        ({"id": "", "email": "a@b.c"}, "a@b.c"),
        ({"ip_address": "192.0.2.1"}, "192.0.2.1"),
        ({"ip_address": "{{auto}}"}, ""),
        ({"id": 0}, "0"),
        ({"id": {"x": 1}}, ""),
    ],
)
def test_users_are_told_apart_by_the_strongest_name_given(payload: dict[str, object], user: str) -> None:
    assert read({"user": payload}).event.user == user


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1795223418.5, datetime(2026, 11, 21, 1, 10, 18, 500_000, tzinfo=UTC)),
        ("1795223418", datetime(2026, 11, 21, 1, 10, 18, tzinfo=UTC)),
        ("2026-11-21T01:10:18", datetime(2026, 11, 21, 1, 10, 18, tzinfo=UTC)),
        ("2026-11-21T01:10:18.123456789Z", datetime(2026, 11, 21, 1, 10, 18, 123_456, tzinfo=UTC)),
        ("2026-11-21T03:10:18+02:00", datetime(2026, 11, 21, 1, 10, 18, tzinfo=UTC)),
        ("2026-11-21", NOW), ("soon", NOW), (None, NOW), (True, NOW), (-5, NOW), (10**400, NOW), (1e300, NOW), ([], NOW),
    ],
)  # fmt: skip
def test_instants_in_every_spelling(value: object, moment: datetime) -> None:
    assert read({"timestamp": value}).event.timestamp == moment


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"message": "plain"}, "plain"),
        ({"message": {"message": "x %s", "formatted": "x 1"}}, "x 1"),
        ({"logentry": {"message": "100% of %s %d", "params": ["a"]}}, "100% of %s %d"),
        ({"sentry.interfaces.Message": {"message": "old"}}, "old"),
        ({"exception": {"values": [{"value": "only a value"}]}, "message": "other"}, "only a value"),
        ({"exception": [{"type": "E"}], "message": "other"}, "other"),
        ({"exception": {"type": "E", "value": "single"}}, "single"),
    ],
)
def test_messages_wherever_they_stand(payload: dict[str, object], message: str) -> None:
    assert read(payload).event.message == message


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("info", "info"),
        ("WARNING", "warning"),
        ("critical", "fatal"),
        (40, "error"),
        (20, "info"),
        (17, "error"),
        (None, "error"),
    ],
)
def test_levels_as_words_and_numbers(value: object, level: str) -> None:
    assert read({"level": value}).level == level


def test_tags_as_pairs_and_as_objects() -> None:
    tags = [["a", "1"], {"key": "b", "value": 2}, ["c"], None, ["", "x"]]

    assert read({"tags": tags}).event.tags == {"a": "1", "b": "2"}


def test_sizes_are_bounded() -> None:
    parsed = read(
        {
            "release": "r" * 3_000,
            "message": "m" * 100_000,
            "tags": {f"t{n}": "v" * 1_000_000 for n in range(300)},
            "exception": {
                "values": [{"type": "E", "stacktrace": {"frames": [{"filename": f"{n}.py"} for n in range(5_000)]}}]
            },
        }
    )

    assert len(parsed.event.release) == 200
    assert len(parsed.event.message) == 8_192
    assert len(parsed.event.tags) == 100
    assert {len(value) for value in parsed.event.tags.values()} == {200}
    assert [frame.file for frame in parsed.event.frames] == [f"{n}.py" for n in range(4_750, 5_000)]
    assert len(parsed.payload) < 1_000_000


def test_what_is_kept_for_reading_holds_no_locals_and_no_secrets() -> None:
    frame = {"filename": "a.py", "vars": {"password": "hunter2", "card": "4111 1111 1111 1111"}}
    parsed = read(
        {
            "exception": {"values": [{"type": "E", "value": "token=abc123 for ann@example.com", "stacktrace": {"frames": [frame]}}]},
            "request": {"url": "https://x.example/?token=abc", "headers": [["Cookie", "sid=1"], ["Accept", "*/*"]],
                        "data": {"password": "hunter2"}},
            "extra": {"sys.argv": ["send.py", "http://key:secret@127.0.0.1/42"]},
            "user": {"id": "7", "email": "ann@example.com", "ip_address": "203.0.113.9", "name": "Ann"},
        }
    )  # fmt: skip

    assert json.loads(parsed.payload) == {
        "exception": {
            "values": [
                {
                    "type": "E",
                    "value": "token=[filtered] for [filtered]",
                    "stacktrace": {"frames": [{"filename": "a.py"}]},
                }
            ]
        },
        "request": {
            "url": "https://x.example/?token=[filtered]",
            "headers": [["Cookie", "[filtered]"], ["Accept", "*/*"]],
            "data": {"password": "[filtered]"},
        },
        "extra": {"sys.argv": ["send.py", "http://[filtered]@127.0.0.1/42"]},
        "user": {"id": "7"},
    }


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sentry-envelopes/python.basic.json", ("ZeroDivisionError", "division by zero", "py_send.py")),
        ("sentry-envelopes/node.basic.json", ("TypeError", "Cannot read properties of null (reading 'x')", None)),
        ("sentry-legacy-store/python-0.19.5.json", ("ZeroDivisionError", "division by zero", "old_send.py")),
    ],
)
def test_recorded_errors(shared: Path, name: str, expected: tuple[str, str, str | None]) -> None:
    event = recorded(shared / "fixtures" / name)[0].event

    assert (event.type, event.message) == expected[:2]
    assert event.release.startswith("shop@")
    assert event.frames[-1].in_app is True
    assert expected[2] in (None, event.frames[-1].file)


@pytest.mark.conformance
def test_recorded_flags_come_with_the_event(shared: Path) -> None:
    [parsed] = recorded(shared / "fixtures/sentry-envelopes/python.openfeature.json")

    assert parsed.event.flags == {"new-checkout": True, "missing": False}


@pytest.mark.conformance
def test_nothing_secret_of_the_recordings_is_kept(shared: Path) -> None:
    folders = ("sentry-envelopes", "sentry-legacy-store")
    paths = [path for name in folders for path in sorted((shared / "fixtures" / name).glob("[np]*.json"))]
    kept = "".join(parsed.payload.decode() for path in paths for parsed in recorded(path))

    secrets = ["fedcba9876543210@", "0123456789abcdef:", "u1@example.com", '"vars"', "token=abc"]
    assert (len(kept) > 50_000, [secret for secret in secrets if secret in kept]) == (True, [])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["values", "frames"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["values", "frames", "type", "value", "stacktrace", "filename", "lineno", "trace", "flags", "flag", "result",
             "id", "email", "handled", "mechanism", "message", "formatted", "url", "headers", "vars", "key", "crashed"]
        ),
        inner,
        max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip
FIELDS = [
    "timestamp", "platform", "level", "exception", "logentry", "message", "release", "environment", "server_name", "user",
    "tags", "contexts", "fingerprint", "request", "transaction", "culprit", "threads", "stacktrace", "breadcrumbs", "extra",
    "logger", "sentry.interfaces.Message", "sentry.interfaces.Exception", "sentry.interfaces.User", "sdk",
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(payload=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=6))
def test_wrong_types_anywhere_never_raise_and_fields_keep_their_types(payload: dict[str, object]) -> None:
    parsed = read(payload)

    texts = [parsed.event.type, parsed.event.message, parsed.event.release, parsed.event.user, parsed.event.host]
    assert [text for text in texts if not isinstance(text, str)] == []
    "".join([*texts, *parsed.event.tags, *parsed.event.tags.values()]).encode()
    assert parsed.event.timestamp.tzinfo is not None
    frames_of(json.loads(parsed.payload))
    frames_of(payload)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"tags": {f"t{n}": "v" for n in range(10_000)}}, ["tags"]),
        ({"tags": [["a", "b"]] * 101}, ["tags"]),
        ({"tags": {"a": "v" * 1_000_000}}, ["tags"]),
        ({"message": "m" * 100_000}, ["message"]),
        ({"logentry": {"formatted": "m" * 100_000}}, ["message"]),
        ({"exception": [{"type": "E", "value": "m" * 100_000}]}, ["message"]),
        ({"exception": [{"type": "E", "stacktrace": {"frames": [{"function": "f"}] * 5_000}}]}, ["frames"]),
        ({"stacktrace": {"frames": [{"function": "f"}] * 5_000}}, ["frames"]),
        ({"exception": [{"type": "E"}] * 21}, ["exceptions"]),
        ({"tags": {"a": "b"}, "message": "m", "exception": [{"type": "E", "value": "v"}]}, None),
    ],
)
def test_what_is_too_large_is_cut_and_marked(payload: dict[str, object], expected: list[str] | None) -> None:
    parsed = read(payload)

    assert json.loads(parsed.payload).get("truncated") == expected
    assert (len(parsed.event.tags) <= 100, len(parsed.event.frames) <= 250, len(parsed.event.message) <= 8_192) == (
        True,
        True,
        True,
    )
    assert len(parsed.payload) < 20_000
