"""What becomes of every recorded request and every written edge case, compared with what is written down beside."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from deploys.models import Service
from incidents.actions import ingest
from incidents.actions.ingest import drain
from incidents.domain.sender_clocks import HostClocks
from incidents.formats import envelope
from incidents.ingest.answers import Refusal
from incidents.ingest.application import parse
from incidents.ingest.limits import MAX_DECODED
from incidents.ingest.requests import target_of
from incidents.ingest.writer import Row, store_rows
from incidents.models import DeadLetter, ErrorEvent, IngestCount, JobRun, LossCount, RequestCount, TrafficCount
from incidents.queries.latency import Latencies, latencies
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.incidents import recordings

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database, pytest.mark.conformance]
EXPECTED = Path(__file__).parent / "expected"
RECORDED = json.loads((EXPECTED / "sentry-recordings.json").read_text(encoding="utf-8"))
EDGE_CASES = json.loads((EXPECTED / "sentry-edge-cases.json").read_text(encoding="utf-8"))
FAR = dt.timedelta(days=3650)


@pytest.fixture(autouse=True)
def _fresh_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_clocks", HostClocks())


def take_in(service: Service, body: bytes, *, kind: str, coding: str, at: dt.datetime) -> int:
    """Stores the body as the server does; the status it answers."""
    try:
        parsed = parse(body, coding=coding, kind=kind, limit=MAX_DECODED)
    except Refusal as refusal:
        return refusal.status
    if parsed.item_types:
        row = Row(
            project=service.number, kind=kind, encoding=coding, event_id=parsed.event_id, body=body, received_at=at
        )
        store_rows([row])
    return 200


def outcome(service: Service) -> dict[str, Any]:
    """All that the service knows now; kinds of which nothing is known are left out."""
    traffic = TrafficCount.objects.filter(service=service)
    found = {
        "events": [_event(each) for each in ErrorEvent.objects.filter(service=service).order_by("timestamp", "event_id")],
        "sessions": [[row.release, row.count, row.failed] for row in traffic.order_by("at", "release")],
        "requests": [_requests(release, each) for (release, _), each in sorted(
            latencies(services=[service.pk], begins_at=NOON - FAR, ends_at=NOON + FAR).items()
        )],
        "runs": [
            [run.job.slug, run.job.schedule, run.status]
            for run in JobRun.objects.filter(job__service=service).select_related("job").order_by("job__slug")
        ],
        "losses": [[row.reason, row.category, row.quantity] for row in LossCount.objects.filter(service=service)],
        "counted": {
            f"{row.item} {row.outcome}": row.quantity
            for row in IngestCount.objects.filter(service=service).order_by("item", "outcome")
        },
        "dead": list(DeadLetter.objects.filter(project=service.number).values_list("reason", flat=True)),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _event(event: ErrorEvent) -> dict[str, Any]:
    title = event.message.partition("\n")[0][:80]
    told = {
        "type": event.issue.type,
        "message": title,
        "level": event.level,
        "release": event.release,
        "host": event.host,
    }
    return {name: value for name, value in told.items() if value} | ({"flags": event.flags} if event.flags else {})


def _requests(release: str, each: Latencies) -> list[Any]:
    return [release, each.count, each.failed, each.p50 and round(each.p50 * 1000)]


def test_every_recording_and_every_edge_case_has_an_expected_outcome(shared: Path) -> None:
    names = {f"{request.name.rsplit('/', 1)[0]}" for request in recordings.every(shared)}
    cases = json.loads((shared / "fixtures/sentry-envelopes/edge-cases.json").read_text(encoding="utf-8"))["cases"]

    assert set(RECORDED) == names
    assert set(EDGE_CASES) == {case["name"] for case in cases}


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_what_a_real_client_sent(shared: Path, name: str) -> None:
    service = ServiceFactory.create()
    answers = []
    for request in recordings.read(shared / "fixtures" / f"{name}.json"):
        target = target_of(request.path.partition("?")[0])
        assert target is not None
        coding = {key.lower(): value for key, value in request.headers}.get("content-encoding", "")
        sent_at = envelope.parse(request.body).sent_at if target.kind == "envelope" else None
        at = (sent_at or dt.datetime(2026, 11, 21, 1, 10, 17, tzinfo=dt.UTC)) + dt.timedelta(seconds=1)
        answers.append(take_in(service, request.wire, kind=target.kind, coding=coding, at=at))

    drain(now=NOON)

    assert {"answers": answers, **outcome(service)} == RECORDED[name]


@pytest.mark.parametrize("name", sorted(EDGE_CASES))
def test_an_edge_case(shared: Path, name: str) -> None:
    service = ServiceFactory.create()
    cases = json.loads((shared / "fixtures/sentry-envelopes/edge-cases.json").read_text(encoding="utf-8"))["cases"]
    body = next(base64.b64decode(case["body_b64"]) for case in cases if case["name"] == name)

    answer = take_in(service, body, kind="envelope", coding="", at=NOON)
    drain(now=NOON)

    assert {"answer": answer, **outcome(service)} == EDGE_CASES[name]


def test_flags_of_recorded_events_are_kept_as_exposure(shared: Path) -> None:
    """Who evaluated which flag, and how, can be asked of the stored events."""
    service = ServiceFactory.create()
    for name in ("python.basic", "python.openfeature"):
        for request in recordings.read(shared / "fixtures/sentry-envelopes" / f"{name}.json"):
            coding = {key.lower(): value for key, value in request.headers}.get("content-encoding", "")
            take_in(service, request.wire, kind="envelope", coding=coding, at=NOON)
    drain(now=NOON)

    events = ErrorEvent.objects.filter(service=service)

    assert events.filter(flags__has_key="new-checkout").count() == 3
    assert events.filter(**{"flags__new-checkout": True}).count() == 3
    assert events.filter(**{"flags__dark-mode": False}).count() == 2
    assert RequestCount.objects.count() == 0
