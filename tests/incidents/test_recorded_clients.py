"""What real clients sent, sent again byte for byte to a real server."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from incidents.formats import envelope
from incidents.formats.envelope import canonical_id
from tests.incidents import recordings
from tests.incidents.live import KEY, Live
from tests.incidents.recordings import Request

pytestmark = [pytest.mark.processes, pytest.mark.conformance]


def replay(live: Live, request: Request) -> tuple[int, bytes]:
    dropped = ("host", "content-length", "transfer-encoding", "connection")
    headers = {name: value for name, value in request.headers if name.lower() not in dropped}
    return live.post(request.path, request.wire, headers, is_chunked=request.chunked)


def event_ids(requests: list[Request]) -> set[str]:
    """The ids of the error events in the recordings, by the protocol's rule: the envelope's id wins."""
    found = set()
    for request in requests:
        if request.path.endswith("/store/"):
            found.add(canonical_id(json.loads(request.body)["event_id"]))
            continue
        parsed = envelope.parse(request.body)
        for item in parsed.items:
            if item.type == "event":
                found.add(parsed.event_id or canonical_id(json.loads(item.payload)["event_id"]))
    return {each for each in found if each}


def test_every_recording_is_acknowledged_stored_as_sent_and_digested(live: Live, shared: Path) -> None:
    requests = list(recordings.every(shared))

    answers = {request.name: replay(live, request) for request in requests}

    assert len(requests) > 40
    assert {name: status for name, (status, _) in answers.items() if status != 200} == {}
    stored = live.query("SELECT body FROM incidents_inboxitem ORDER BY id", inbox=True)
    assert [bytes(body) for (body,) in stored] == [request.wire for request in requests]

    live.start_worker()
    live.wait_until_digested()
    found = {event_id for (event_id,) in live.query("SELECT event_id FROM incidents_errorevent")}
    assert found == event_ids(requests)
    assert live.number("SELECT count(*) FROM incidents_deadletter", inbox=True) == 0
    assert live.number("SELECT sum(count) FROM incidents_trafficcount") > 5


def test_the_written_edge_cases_over_http(live: Live, shared: Path) -> None:
    cases = json.loads((shared / "fixtures/sentry-envelopes/edge-cases.json").read_text(encoding="utf-8"))["cases"]
    found = {}
    for case in cases:
        headers = {"Content-Type": "text/plain"} if case["name"] == "dsn-in-header" else None
        found[case["name"]] = live.post("/api/42/envelope/", base64.b64decode(case["body_b64"]), headers)[0]

    assert found == {case["name"]: 400 if "error" in case["expect"] else 200 for case in cases}


def test_a_chunked_request_to_a_page_is_not_an_empty_one(live: Live) -> None:
    """Django answers 403 for the missing CSRF token; a server that lost the body would say so too, so size is tested."""
    status, _ = live.post("/healthz", b"x" * 3_000_000, {"Content-Type": "text/plain"}, is_chunked=True)
    assert status == 403

    status, _ = live.post("/healthz", b"x" * 28_000_000, {"Content-Type": "text/plain"}, is_chunked=True)
    assert status == 413


def test_a_key_in_the_query_needs_no_header(live: Live) -> None:
    path = f"/api/42/envelope?sentry_version=7&sentry_key={KEY}"

    assert live.post(path, b'{}\n{"type":"session"}\n{}\n', {"Content-Type": "text/plain"})[0] == 200
    assert live.post("/api/42/envelope", b'{}\n{"type":"session"}\n{}\n', {"Content-Type": "text/plain"})[0] == 403
