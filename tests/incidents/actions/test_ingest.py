"""From the inbox to rows: once, with poison set aside, and nothing counted twice after a death."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError

from deploys.models import DsnKey, Service
from incidents.actions import ingest, poison
from incidents.actions.digest import payload_of
from incidents.actions.ingest import Drained, drain, replay_dead_letters
from incidents.domain.latency import unpacked
from incidents.domain.sender_clocks import HostClocks
from incidents.formats.shown_event import shown_event
from incidents.ingest.keys import look_up
from incidents.ingest.writer import Row, store_rows
from incidents.models import (
    BatchInHand,
    DeadLetter,
    DigestMark,
    ErrorEvent,
    InboxItem,
    IngestCount,
    Issue,
    JobRun,
    LossCount,
    RequestCount,
    TrafficCount,
)
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]


def event_id(number: int) -> str:
    return f"{number:032x}"


def envelope(number: int, payload: dict[str, Any] | None = None, *more: bytes, **header: Any) -> bytes:
    lines = [
        json.dumps({"event_id": event_id(number), **header}).encode(),
        b'{"type":"event"}',
        json.dumps({"message": "hello", "timestamp": NOON.isoformat(), **(payload or {})}).encode(),
        *more,
    ]
    return b"\n".join(lines)


def put(service: Service, number: int, body: bytes, **fields: Any) -> None:
    row = {"kind": "envelope", "encoding": "", "event_id": event_id(number), "received_at": NOON, **fields}
    store_rows([Row(project=service.number, body=body, **row)])


def outcomes() -> dict[tuple[str, str], int]:
    return {(row.item, row.outcome): row.quantity for row in IngestCount.objects.all()}


def test_the_first_row_of_an_empty_inbox_asks_for_a_wake_up() -> None:
    row = Row(1, "envelope", "", "", b"x", NOON)

    assert [store_rows([row, row]), store_rows([row])] == [True, False]
    assert [bytes(item.body) for item in InboxItem.objects.all()] == [b"x"] * 3
    assert set(InboxItem.objects.values_list("received_at", "attempts")) == {(NOON, 0)}


def test_everything_in_an_envelope_finds_its_place() -> None:
    service = ServiceFactory.create()
    items = [
        b'{"type":"session"}',
        b'{"started":"2026-03-04T11:59:00Z","init":true,"status":"crashed","attrs":{"release":"r"}}',
        b'{"type":"client_report"}',
        b'{"timestamp":"2026-03-04T11:59:00Z","discarded_events":[{"reason":"queue_overflow","category":"error","quantity":2}]}',
        b'{"type":"attachment","length":3}',
        b"a\nb",
        b'{"type":"check_in"}',
        b"not even json",
        b'{"type":"check_in"}',
        b'{"check_in_id":"%s","monitor_slug":"nightly","status":"ok"}' % (b"a" * 32),
        b'{"type":"check_in"}',
        b"{}",
    ]
    put(service, 1, gzip.compress(envelope(1, {"user": {"id": "u1"}}, *items)), encoding="gzip")
    put(service, 2, json.dumps({"message": "old"}).encode(), kind="store")

    result = drain(now=NOON)

    assert result == Drained(taken_count=2, stored_count=2, dead_count=0)
    assert sorted(ErrorEvent.objects.values_list("event_id", "message")) == [
        (event_id(1), "hello"),
        (event_id(2), "old"),
    ]
    assert list(TrafficCount.objects.values_list("at", "release", "count", "failed")) == [
        (NOON - minutes(1), "r", 1, 1)
    ]
    assert list(LossCount.objects.values_list("reason", "category", "quantity")) == [("queue_overflow", "error", 2)]
    assert outcomes() == {
        ("event", "stored"): 2,
        ("session", "counted"): 1,
        ("attachment", "skipped"): 1,
        ("check_in", "skipped"): 2,
        ("check_in", "counted"): 1,
        ("body", "accepted"): 2,
    }
    assert list(JobRun.objects.values_list("job__slug", "status", "started_at")) == [("nightly", "ok", NOON)]
    assert InboxItem.objects.count() == 0


def test_traces_are_counted_as_requests() -> None:
    service = ServiceFactory.create()
    spans = b'{"type":"span","content_type":"application/vnd.sentry.items.span.v2+json"}'
    served = {"start_timestamp": "2026-03-04T11:59:00Z", "timestamp": "2026-03-04T11:59:01Z", "release": "r"}
    bodies = [
        [b'{"type":"transaction"}', json.dumps({**served, "contexts": {"trace": {"op": "http.server"}}}).encode()],
        [b'{"type":"transaction"}', json.dumps({**served, "contexts": {"trace": {"op": "pageload"}}}).encode()],
        [spans, json.dumps({"items": [{**served, "is_segment": True, "attributes": {"sentry.kind": {"value": "server"}}}]}).encode()],
        [b'{"type":"span"}', b"{}"],
    ]  # fmt: skip
    for lines in bodies:
        put(service, 1, b"\n".join([b"{}", *lines]))

    drain(now=NOON)

    assert list(RequestCount.objects.order_by("release").values_list("bucket_at", "release", "count")) == [
        (NOON - minutes(5), "", 1),
        (NOON - minutes(5), "r", 1),
    ]
    assert outcomes() == {
        ("request", "counted"): 2,
        ("transaction", "skipped"): 1,
        ("span", "skipped"): 1,
        ("body", "accepted"): 4,
    }
    assert TrafficCount.objects.count() == 0


def test_poison_is_set_aside_with_its_reason_and_its_neighbours_are_stored() -> None:
    service = ServiceFactory.create()
    for number in range(1, 21):
        put(service, number, envelope(number))
    put(service, 21, b"\x00 no envelope")
    put(service, 22, envelope(22), encoding="gzip")
    for number in range(23, 31):
        put(service, number, envelope(number))

    result = drain(now=NOON)

    assert (result.taken_count, result.stored_count, result.dead_count) == (30, 28, 2)
    assert Issue.objects.get().events_count == ErrorEvent.objects.count() == 28
    assert list(DeadLetter.objects.order_by("event_id").values_list("event_id", "reason")) == [
        (event_id(21), "MalformedEnvelope: the envelope header is not a JSON object"),
        (event_id(22), "BadBody: damaged gzip body"),
    ]
    assert outcomes() == {("event", "stored"): 28, ("body", "accepted"): 30, ("body", "dead"): 2}


def test_what_breaks_in_the_database_is_found_by_halving(monkeypatch: pytest.MonkeyPatch) -> None:
    service = ServiceFactory.create()
    for number in range(1, 14):
        put(service, number, envelope(number, {"release": "bad" if number in (4, 11) else "good"}))

    def breaks(*, events: Any, **more: Any) -> Any:
        if any(each.event.release == "bad" for each in events):
            raise ValueError("this one breaks")
        return digest(events=events, **more)

    digest = ingest.digest_events
    monkeypatch.setattr(ingest, "digest_events", breaks)
    result = drain(now=NOON)

    assert (result.stored_count, result.dead_count) == (11, 2)
    assert Issue.objects.get().events_count == ErrorEvent.objects.count() == 11
    assert set(DeadLetter.objects.values_list("event_id", "reason")) == {
        (event_id(number), "ValueError: this one breaks") for number in (4, 11)
    }

    monkeypatch.undo()
    assert replay_dead_letters(ids=list(DeadLetter.objects.values_list("pk", flat=True))) == 2
    assert drain(now=NOON).stored_count == 2
    assert (ErrorEvent.objects.count(), DeadLetter.objects.count()) == (13, 0)


@pytest.mark.parametrize(
    "payload",
    [
        {"release": "r" * 3_000},
        {"logentry": {"message": "100% of %s %d", "params": [1]}},
        {"message": "a\0b"},
        {"environment": "e" * 900, "transaction": "t" * 9_000, "server_name": "h" * 900},
        {"tags": {"t" * 900: "v" * 9_000}},
        {"exception": {"values": [{"type": "T" * 900, "value": 10**30}]}},
        {"user": {"id": 10**40}, "level": 10**30, "platform": "p" * 900},
        {"timestamp": 10**30},
    ],
)
def test_odd_values_are_stored_not_dead(payload: dict[str, Any]) -> None:
    service = ServiceFactory.create()
    for number in (1, 2, 3):
        put(service, number, envelope(number, payload if number == 2 else None))

    assert drain(now=NOON) == Drained(taken_count=3, stored_count=3, dead_count=0)


def test_a_body_delivered_again_counts_once() -> None:
    service = ServiceFactory.create()
    for _ in range(5):
        put(service, 1, envelope(1))

    drain(now=NOON)
    put(service, 1, envelope(1))
    drain(now=NOON)

    assert (ErrorEvent.objects.count(), Issue.objects.get().events_count) == (1, 1)
    assert outcomes() == {("event", "stored"): 1, ("event", "duplicate"): 5, ("body", "accepted"): 6}


def test_events_of_a_deleted_service_are_dead_letters() -> None:
    service = ServiceFactory.create()
    put(service, 1, envelope(1))
    service.delete()

    drain(now=NOON)

    assert list(DeadLetter.objects.values_list("reason", flat=True)) == ["the service was deleted"]


def test_a_wrong_clock_is_corrected_by_what_it_said_when_it_sent() -> None:
    service = ServiceFactory.create()
    month = minutes(30 * 24 * 60)
    cases = [
        (NOON - month - minutes(1), NOON - month, NOON - minutes(1)),
        (NOON + month - minutes(2), NOON + month, NOON - minutes(2)),
        (NOON - minutes(3), NOON - minutes(0.3), NOON - minutes(3)),
        (NOON + minutes(5), None, NOON),
        (NOON - month - month, None, NOON),
    ]
    for number, (at, sent_at, _) in enumerate(cases):
        header = {"sent_at": sent_at.isoformat()} if sent_at else {}
        put(service, number, envelope(number, {"timestamp": at.isoformat()}, **header))

    drain(now=NOON)

    stored = ErrorEvent.objects.order_by("event_id").values_list("timestamp", flat=True)
    assert list(stored) == [expected for _, _, expected in cases]


def test_a_corrected_time_is_marked_in_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_clocks", HostClocks())
    service = ServiceFactory.create()
    month = minutes(30 * 24 * 60)
    for number, offset in enumerate((month, -month, minutes(0))):
        told = (NOON + offset - minutes(1)).isoformat()
        put(
            service,
            number,
            envelope(number, {"timestamp": told, "_clock": {"told": 7}}, sent_at=(NOON + offset).isoformat()),
        )
    put(service, 3, json.dumps({"timestamp": (NOON + month).isoformat()}).encode(), kind="store")

    drain(now=NOON)

    shown = [
        (event.timestamp, shown_event(payload_of(event)).told_at) for event in ErrorEvent.objects.order_by("event_id")
    ]
    assert shown == [
        (NOON - minutes(1), NOON + month - minutes(1)),
        (NOON - minutes(1), NOON - month - minutes(1)),
        (NOON - minutes(1), None),
        (NOON, NOON + month),
    ]


def test_a_host_without_a_time_of_sending_gets_the_correction_of_its_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_clocks", HostClocks())
    service = ServiceFactory.create()
    behind = {"timestamp": (NOON - minutes(61)).isoformat(), "server_name": "web-1"}
    for number in range(4):
        put(service, number, envelope(number, behind, sent_at=(NOON - minutes(60)).isoformat()))
    put(service, 4, json.dumps(behind).encode(), kind="store")
    put(service, 5, json.dumps({**behind, "server_name": "web-2"}).encode(), kind="store")

    drain(now=NOON)

    stored = ErrorEvent.objects.order_by("event_id").values_list("timestamp", flat=True)
    assert list(stored) == [NOON - minutes(1)] * 5 + [NOON - minutes(61)]


def test_our_own_clock_set_back_by_an_hour_makes_no_time_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_clocks", HostClocks())
    service = ServiceFactory.create()
    for number, ours in enumerate((NOON, NOON - minutes(60), NOON + minutes(60))):
        told = NOON + minutes(number)
        header = {"sent_at": told.isoformat()}
        fields = {"timestamp": told.isoformat(), "server_name": "web-1"}
        put(service, number, envelope(number, fields, **header), received_at=ours)
        session = {"sid": "a" * 32, "started": told.isoformat(), "init": number == 0, "status": "ok", "attrs": {}}
        body = b"\n".join([json.dumps(header).encode(), b'{"type":"session"}', json.dumps(session).encode()])
        put(service, 10 + number, body, received_at=ours)
        served = {
            "start_timestamp": told.isoformat(),
            "timestamp": told.timestamp() - 9,
            "contexts": {"trace": {"op": "http.server"}},
        }
        body = b"\n".join([json.dumps(header).encode(), b'{"type":"transaction"}', json.dumps(served).encode()])
        put(service, 20 + number, body, received_at=ours)
        drain(now=ours)

    events = ErrorEvent.objects.order_by("event_id")
    assert [event.timestamp for event in events] == [NOON, NOON - minutes(60), NOON + minutes(2)]
    assert [event for event in events if event.timestamp > event.received_at] == []
    issue = Issue.objects.get()
    assert (issue.first_seen_at, issue.last_seen_at) == (NOON - minutes(60), NOON + minutes(2))
    assert sum(TrafficCount.objects.values_list("count", flat=True)) == 1
    assert [unpacked(bytes(row.sketch)) for row in RequestCount.objects.all()] == [{}, {}, {}]


@pytest.mark.skipif(settings.INBOX_ALIAS == "default", reason="the inbox is in the digest's own transaction here")
def test_a_death_between_the_two_files_repeats_nothing() -> None:
    service = ServiceFactory.create()
    session = b'{}\n{"type":"session"}\n{"started":"2026-03-04T11:59:00Z","init":true,"attrs":{}}'
    put(service, 1, session)
    taken = list(InboxItem.objects.all())
    drain(now=NOON)
    InboxItem.objects.bulk_create(taken)  # as if the process had died before they were deleted

    assert list(DigestMark.objects.values_list("inbox_ids", flat=True)) == [[item.pk for item in taken]]
    assert drain(now=NOON) == Drained()
    assert (InboxItem.objects.count(), TrafficCount.objects.get().count) == (0, 1)


class Death(BaseException):
    """Ends a drain where it stands, as far as one process can: nothing catches it, what was not committed is gone."""


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The worker dies whenever the event with number 7 is in its batch; how large each deadly batch was."""
    sizes: list[int] = []

    def deadly(*, events: Any, **more: Any) -> Any:
        if any(each.event.event_id == event_id(7) for each in events):
            sizes.append(len(events))
            raise Death
        return digest(events=events, **more)

    digest = ingest.digest_events
    monkeypatch.setattr(ingest, "digest_events", deadly)
    return sizes


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_body_that_kills_its_workers_is_found_and_given_up(killer: list[int]) -> None:
    service = ServiceFactory.create()
    for number in range(1, 101):
        put(service, number, envelope(number))

    def stored_after_restart() -> int:
        with pytest.raises(Death):
            drain(now=NOON)
        return ErrorEvent.objects.count()

    stored = [stored_after_restart()]
    for number in range(101, 111):
        put(service, number, envelope(number))
    stored += [stored_after_restart() for _ in range(4)]

    assert (stored, killer) == ([0, 10, 104, 109, 109], [100, 12, 1, 1, 1])
    assert drain(now=NOON) == Drained(taken_count=1, stored_count=0, dead_count=1)
    assert list(DeadLetter.objects.values_list("event_id", "reason")) == [
        (event_id(7), "the worker died 5 times while this was being digested")
    ]
    assert (ErrorEvent.objects.count(), InboxItem.objects.count(), BatchInHand.objects.count()) == (109, 0, 0)
    assert Issue.objects.get().events_count == 109


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_database_that_goes_away_makes_nobody_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    service = ServiceFactory.create()
    put(service, 1, envelope(1))

    def away(**_: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(ingest, "digest_events", away)
    for _ in range(poison.MAX_DEATHS + 1):
        with pytest.raises(OperationalError):
            drain(now=NOON)
    monkeypatch.undo()

    assert drain(now=NOON) == Drained(taken_count=1, stored_count=1)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_flood_does_not_keep_doubtful_bodies_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    service = ServiceFactory.create()
    for number in range(1, 31):
        put(service, number, envelope(number))
    InboxItem.objects.filter(event_id=event_id(30)).update(attempts=1)
    monkeypatch.setattr(ingest, "BATCH", 2)
    order: list[str] = []

    def noted(*, events: Any, **more: Any) -> Any:
        order.extend(each.event.event_id for each in events)
        return digest(events=events, **more)

    digest = ingest.digest_events
    monkeypatch.setattr(ingest, "digest_events", noted)
    drain(now=NOON)

    assert order.index(event_id(30)) == (ingest.DOUBTFUL_EVERY - 1) * 2


def test_a_whole_batch_calls_others_in_once_where_they_can_help(monkeypatch: pytest.MonkeyPatch) -> None:
    service = ServiceFactory.create()
    for number in range(1, 6):
        put(service, number, envelope(number))
    monkeypatch.setattr(ingest, "BATCH", 2)
    calls: list[str] = []

    drain(now=NOON, share=lambda: calls.append("called"))
    put(service, 6, envelope(6))
    drain(now=NOON, share=lambda: calls.append("called for one"))

    assert calls == (["called"] if settings.INBOX_ALIAS == "default" else [])


def test_only_active_keys_of_the_service_open_the_door() -> None:
    service = ServiceFactory.create()
    other = ServiceFactory.create()
    for key, owner, is_active in (("a" * 32, service, True), ("b" * 32, service, False), ("c" * 32, other, True)):
        DsnKey.objects.create(service=owner, public_key=key, is_active=is_active, created_at=NOON)

    assert [look_up(service.number, key * 32) for key in "abcd"] == [True, False, False, False]
