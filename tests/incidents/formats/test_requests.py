"""Which transactions and spans are requests of a service, how long they took and whether they failed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.formats import envelope
from incidents.formats.requests import Request, parse_spans, parse_transaction
from tests.incidents import recordings

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
TRACE = {"trace_id": "a" * 32, "span_id": "b" * 16, "op": "http.server"}


def transaction(trace: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    times = {"start_timestamp": AT.timestamp(), "timestamp": AT.timestamp() + 0.25}
    contexts = {"trace": TRACE | (trace or {}), **fields.pop("contexts", {})}
    return {**times, "contexts": contexts, "release": "r", "environment": "live", **fields}


def span(attributes: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    told = {"sentry.op": "http.server", "sentry.release": "r", "sentry.environment": "live"} | (attributes or {})
    return {
        "trace_id": "a" * 32, "span_id": "b" * 16, "is_segment": True, "status": "ok",
        "start_timestamp": AT.timestamp(), "end_timestamp": AT.timestamp() + 0.25,
        "attributes": {name: {"value": value, "type": "string"} for name, value in told.items()}, **fields,
    }  # fmt: skip


def request(**fields: Any) -> Request:
    return Request(**({"key": "a" * 32 + "b" * 16, "at": AT, "seconds": 0.25, "failed": False, "environment": "live", "release": "r"} | fields))  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (transaction(), request()),
        (transaction({"status": "internal_error"}), request(failed=True)),
        (transaction({"status": "not_found"}), request()),
        (transaction({"status": 13}), request()),
        (transaction(contexts={"response": {"status_code": 503}}), request(failed=True)),
        (transaction({"status": "unknown_error"}, contexts={"response": {"status_code": 404}}), request()),
        (transaction({"data": {"http.response.status_code": 500}}), request(failed=True)),
        (transaction(tags={"http.status_code": "502"}), request(failed=True)),
        (transaction(contexts={"response": {"status_code": True}}), request()),
        (transaction({"op": "websocket.server"}), request()),
        (transaction({"span_id": None}), request(key="")),
        (transaction(timestamp=AT.timestamp() - 1), request(seconds=None)),
        (transaction(timestamp=None, environment=7, release=None), request(seconds=None, environment="production", release="")),
        (transaction(start_timestamp=None), None),
        (transaction({"op": "queue.task.celery"}), None),
        (transaction({"op": "pageload"}), None),
        (transaction({"op": None}), None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_transaction(payload: dict[str, Any], expected: Request | None) -> None:
    assert parse_transaction(payload) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (span(), [request()]),
        (span({"sentry.op": "", "sentry.kind": "server"}), [request()]),
        (span(status="error"), [request(failed=True)]),
        (span({"http.response.status_code": 404}, status="error"), [request()]),
        (span({"http.response.status_code": 500}), [request(failed=True)]),
        (span(is_segment=False), []),
        (span({"sentry.op": "db"}), []),
        (span(start_timestamp="never"), []),
        ("nonsense", []),
    ],
)
def test_a_span(sent: object, expected: list[Request]) -> None:
    assert parse_spans({"version": 2, "items": [sent]}) == expected


def test_no_items_no_requests() -> None:
    assert parse_spans({"items": {}}) == []


@pytest.mark.conformance
@pytest.mark.parametrize(("name", "kind"), [("node.tx.json", "span"), ("python.tx.json", "transaction")])
def test_recorded_requests(shared: Path, name: str, kind: str) -> None:
    found = []
    for recorded in recordings.read(shared / "fixtures/sentry-envelopes" / name):
        for item in envelope.parse(recorded.body).items:
            payload = json.loads(item.payload) if item.type == kind else {}
            found += parse_spans(payload) if kind == "span" else [parse_transaction(payload)]

    told = [(each.environment, each.release, each.failed, round(each.seconds or 0, 3)) for each in found if each]
    assert told == [("production", "shop@1.4.0", False, {"span": 0.039, "transaction": 0.05}[kind])]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("http.server"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["trace", "op", "status", "value", "attributes", "is_segment"]), inner)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    payload=st.dictionaries(st.sampled_from(["contexts", "items", "start_timestamp", "timestamp", "tags"]), ANYTHING)
)
def test_wrong_types_anywhere_never_raise(payload: dict[str, object]) -> None:
    parse_transaction(payload)
    parse_spans(payload)
