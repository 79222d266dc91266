"""Sessions, their buckets, and client reports as counts."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.domain.sessions import Ending
from incidents.formats import envelope
from incidents.formats.client_reports import Discarded
from incidents.formats.client_reports import parse as parse_report
from incidents.formats.sessions import SessionUpdate, TrafficIncrement, parse_aggregates, parse_session
from tests.incidents import recordings

START = "2026-11-21T01:09:00Z"
AT = datetime(2026, 11, 21, 1, 9, tzinfo=UTC)
ATTRIBUTES = {"release": "shop@1.4.0", "environment": "production"}


SID = "5cf38fa6f23d4d2c8f5f0a3b3f6a2c11"
MILLISECONDS = int(AT.timestamp() * 1000)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"init": True, "status": "ok"}, (True, 0, None)),
        ({"init": True, "status": "exited", "errors": 3, "seq": 4}, (True, 0, Ending(0, failed=False))),
        ({"status": "crashed"}, (False, MILLISECONDS, Ending(MILLISECONDS, failed=True))),
        ({"status": "abnormal", "seq": 7}, (False, 7, Ending(7, failed=True))),
        ({"status": "errored", "seq": 7}, (False, 7, Ending(7, failed=False))),
        ({"seq": 2**70, "timestamp": AT.timestamp() + 1}, (False, MILLISECONDS + 1000, None)),
        ({"seq": True}, (False, MILLISECONDS, None)),
        ({"init": True, "status": "strange"}, None),
        ({"init": True, "status": ["ok"]}, None),
        ({"init": True, "started": "never"}, None),
        ({"init": True, "attrs": None}, None),
    ],
)
def test_an_update_of_a_session(fields: dict[str, object], expected: tuple[Any, ...] | None) -> None:
    update = parse_session({"sid": SID, "started": START, "attrs": ATTRIBUTES, **fields})

    assert update == (expected and SessionUpdate(SID, AT, "production", "shop@1.4.0", *expected))


@pytest.mark.parametrize("sid", ["5cf38fa6-f23d-4d2c-8f5f-0a3b3f6a2c11", SID.upper()])
def test_every_spelling_of_a_session_id_is_the_same(sid: str) -> None:
    update = parse_session({"sid": sid, "started": START, "attrs": ATTRIBUTES})

    assert isinstance(update, SessionUpdate)
    assert update.sid == SID


def test_an_id_that_is_no_uuid_is_hashed() -> None:
    update = parse_session({"sid": "mine", "started": START, "attrs": ATTRIBUTES})

    assert isinstance(update, SessionUpdate)
    assert len(update.sid) == 32


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"init": True}, (1, 0)),
        ({"init": True, "status": "crashed"}, (1, 1)),
        ({"status": "abnormal"}, (0, 1)),
        ({}, None),
    ],
)
def test_a_session_without_an_id_counts_as_far_as_it_tells(
    fields: dict[str, object], expected: tuple[int, int] | None
) -> None:
    increment = parse_session({"started": START, "attrs": ATTRIBUTES, **fields})

    assert increment == (expected and TrafficIncrement(AT, "production", "shop@1.4.0", *expected))


def test_buckets_add_their_disjoint_parts() -> None:
    payload = {
        "attrs": {"release": "r"},
        "aggregates": [
            {"started": START, "exited": 2, "errored": 1, "crashed": 1, "abnormal": 1},
            {"started": START, "exited": 0},
            {"started": "never", "exited": 9},
            {"started": START, "exited": -4, "crashed": True, "errored": "3"},
            None,
        ],
    }

    assert parse_aggregates(payload) == [TrafficIncrement(AT, "production", "r", 5, 2)]


@pytest.mark.conformance
def test_recorded_sessions(shared: Path) -> None:
    totals: Counter[str] = Counter()
    for name in ("python.sessions.json", "node.session.json"):
        for request in recordings.read(shared / "fixtures/sentry-envelopes" / name):
            for item in envelope.parse(request.body).items:
                if item.type == "session" and isinstance(parse_session(json.loads(item.payload)), SessionUpdate):
                    totals[name] += 1
                if item.type == "sessions":
                    totals[name] += sum(each.count for each in parse_aggregates(json.loads(item.payload)))

    assert totals == {"python.sessions.json": 5, "node.session.json": 2}


def test_a_client_report_names_what_was_lost() -> None:
    payload = {
        "timestamp": START,
        "discarded_events": [
            {"reason": "queue_overflow", "category": "error", "quantity": 23},
            {"reason": None, "category": "session", "quantity": 1},
            {"reason": "x", "category": "error", "quantity": -1},
            {"reason": "x", "quantity": 1},
            "nonsense",
        ],
        "rate_limited_events": [{"reason": "quota", "category": "error", "quantity": 2}],
    }

    assert parse_report(payload) == [
        Discarded(AT, "queue_overflow", "error", 23),
        Discarded(AT, "unknown", "session", 1),
        Discarded(AT, "quota", "error", 2),
    ]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(START),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["started", "exited", "crashed", "release", "reason", "category", "quantity"]), inner
        )
    ),
    max_leaves=15,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    payload=st.dictionaries(
        st.sampled_from(
            ["attrs", "aggregates", "sid", "seq", "started", "status", "init", "discarded_events", "timestamp"]
        ),
        ANYTHING,
    )
)
def test_wrong_types_anywhere_never_raise(payload: dict[str, object]) -> None:
    parse_session(payload)
    parse_aggregates(payload)
    parse_report(payload)
