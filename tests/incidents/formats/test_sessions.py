"""Sessions, their buckets, and client reports as counts."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.formats import envelope
from incidents.formats.client_reports import Discarded
from incidents.formats.client_reports import parse as parse_report
from incidents.formats.sessions import TrafficIncrement, parse_aggregates, parse_session
from tests.incidents import recordings

START = "2026-11-21T01:09:00Z"
AT = datetime(2026, 11, 21, 1, 9, tzinfo=UTC)
ATTRIBUTES = {"release": "shop@1.4.0", "environment": "production"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"init": True, "status": "ok"}, (1, 0)),
        ({"init": True, "status": "exited", "errors": 3}, (1, 0)),
        ({"init": True, "status": "crashed"}, (1, 1)),
        ({"status": "crashed"}, (0, 1)),
        ({"status": "abnormal"}, (0, 1)),
        ({"status": "exited"}, None),
        ({"init": True}, (1, 0)),
        ({"init": True, "status": "strange"}, None),
        ({"init": True, "status": ["ok"]}, None),
        ({"init": True, "started": "never"}, None),
        ({"init": True, "attrs": None}, None),
    ],
)
def test_a_session_counts_once_and_fails_once(fields: dict[str, object], expected: tuple[int, int] | None) -> None:
    increment = parse_session({"sid": "s", "started": START, "attrs": ATTRIBUTES, **fields})

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
                if item.type == "session" and (increment := parse_session(json.loads(item.payload))):
                    totals[name] += increment.count
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


@given(
    payload=st.dictionaries(
        st.sampled_from(["attrs", "aggregates", "started", "status", "init", "discarded_events", "timestamp"]), ANYTHING
    )
)
def test_wrong_types_anywhere_never_raise(payload: dict[str, object]) -> None:
    parse_session(payload)
    parse_aggregates(payload)
    parse_report(payload)
