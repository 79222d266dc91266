"""Who is told to wait, with what, and who is not; and that refusals are counted."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Sequence

import pytest
from django.db import OperationalError
from pytest_django import Settings

from deploys.models import Service
from incidents.actions.refusals import Refused, record_refusals
from incidents.domain.admission import Rate
from incidents.ingest import admission as admissions
from incidents.ingest.admission import Admission, Bounds, Seen, Watch, judge, rates_of_services
from incidents.ingest.application import Ingest
from incidents.ingest.background import Repeating
from incidents.ingest.keys import KeyCache
from incidents.ingest.tally import MAX_KEYS, Tally
from incidents.ingest.writer import GroupWriter, Row, store_rows
from incidents.models import IngestCount
from incidents.queries.backlog import Backlog, Waiting
from tests.asgi import Reply, ask
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes

KEY = "0123456789abcdef0123456789abcdef"
AUTH = ("X-Sentry-Auth", f"Sentry sentry_key={KEY}")
EVENT = b'{}\n{"type":"event"}\n{"message":"hello"}\n'
SESSION = b'{}\n{"type":"session"}\n{"sid":"x"}\n'
CHECK_IN = b'{}\n{"type":"check_in"}\n{}\n'
REPORT = b'{}\n{"type":"client_report"}\n{}\n'
BOUNDS = Bounds(
    rate=Rate(10, 20),
    report_rate=Rate(1, 30),
    backlog_age=minutes(60),
    backlog_rows=1_000,
    backlog_bytes=10_000,
    reserved_bytes=500,
)


class Front:
    """An ingest with a clock of its own; keeps what was stored and what was refused."""

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self.moment = 0.0
        self.rows: list[Row] = []
        self.counts: Counter[Refused] = Counter()
        self.admission = Admission(bounds, now=lambda: self.moment)
        self.tally = Tally(record=self._record, now=lambda: NOON)

    def _record(self, counts: Counter[Refused]) -> int:
        self.counts.update(counts)
        return 0

    def _store(self, rows: Sequence[Row]) -> bool:
        self.rows += rows
        return False

    async def replies(self, requests: Sequence[tuple[float, int, bytes]]) -> list[Reply]:
        """The answers to (instant, project, body)."""
        application = Ingest(
            keys=KeyCache(find=lambda _project, key: key == KEY),
            writer=GroupWriter(store=self._store, wake=lambda: None),
            admission=self.admission,
            tally=self.tally,
            now=lambda: NOON,
        )
        found = []
        for self.moment, project, body in requests:
            reply = await ask(application, f"/api/{project}/envelope/", body=body, headers=[AUTH])
            assert reply is not None
            found.append(reply)
        return found

    def ask(self, *requests: tuple[float, int, bytes]) -> list[Reply]:
        return asyncio.run(self.replies(requests))


def test_a_flood_is_held_to_its_rate_and_costs_a_quiet_project_nothing() -> None:
    front = Front()
    flood = [(second / 100, 1, EVENT) for second in range(1_000)]  # ten seconds at ten times the rate
    quiet = [(second / 1.0, 2, EVENT) for second in range(10)]

    replies = front.ask(*sorted([*flood, *quiet]))

    assert Counter(row.project for row in front.rows) == {1: 20 + 99, 2: 10}
    refused = [reply for reply in replies if reply.status != 200]
    assert {(reply.status, reply.headers["retry-after"]) for reply in refused} == {(429, "10")}
    front.tally.flush()
    assert front.counts == {Refused(1, NOON, "rate"): len(refused)}


def test_over_the_event_rate_what_is_cheap_still_passes_up_to_a_rate_of_its_own() -> None:
    front = Front()
    front.ask(*[(0, 1, EVENT)] * 20)

    event, session, check_in, report = front.ask((0, 1, EVENT), (0, 1, SESSION), (0, 1, CHECK_IN), (0, 1, REPORT))

    assert [each.status for each in (event, session, check_in, report)] == [429, 200, 200, 200]
    assert event.headers["x-sentry-rate-limits"] == (
        "10:error;default;security;transaction;span;feedback;log_item:organization:rate"
    )
    *_, last = front.ask(*[(0, 1, SESSION)] * 19)
    assert (last.status, last.headers["x-sentry-rate-limits"]) == (429, "10:session;monitor:organization:rate")


def test_client_reports_pass_when_all_else_is_over_its_rate_up_to_a_rate_of_their_own() -> None:
    front = Front()
    front.admission.seen = Seen(rates={1: Rate(1, 1)})
    front.ask(*[(0, 1, EVENT), (0, 1, SESSION)] * 3)
    front.rows.clear()

    replies = front.ask(*[(0, 1, REPORT)] * 31, (0, 2, EVENT))

    assert [reply.status for reply in replies] == [*[200] * 30, 429, 200]
    assert replies[30].headers["x-sentry-rate-limits"] == "10:internal:organization:rate"
    assert [row.body for row in front.rows] == [*[REPORT] * 30, EVENT]


@pytest.mark.parametrize("other", [b'{"type":"event"}\n{}\n', b'{"type":"session"}\n{"sid":"x"}\n'])
def test_the_client_reports_in_a_body_that_comes_too_fast_are_kept(other: bytes) -> None:
    front = Front()
    front.admission.seen = Seen(rates={1: Rate(1, 1)})
    both = b'{"event_id":"' + b"a" * 32 + b'"}\n' + other + b'{"type":"client_report"}\n{"discarded_events":[]}\n'

    replies = front.ask((0, 1, both), (0, 1, both))

    assert [reply.status for reply in replies] == [200, 429]
    assert [row.body for row in front.rows] == [
        both,
        b'{}\n{"type":"client_report","length":23}\n{"discarded_events":[]}\n',
    ]
    assert (front.rows[1].event_id, front.rows[1].encoding) == ("", "")
    front.tally.flush()
    assert front.counts == {Refused(1, NOON, "rate"): 1}


def test_what_is_refused_without_client_reports_leaves_nothing_behind() -> None:
    front = Front()

    replies = front.ask(*[(0, 1, SESSION)] * 21)

    assert (replies[-1].status, len(front.rows)) == (429, 20)


def test_a_body_counts_for_the_events_it_holds() -> None:
    front = Front()
    spans = b"{}\n" + b'{"type":"span"}\n{}\n' * 15

    assert [reply.status for reply in front.ask((0, 1, spans), (0, 1, spans), (1, 1, spans))] == [200, 429, 200]


def test_a_service_may_have_a_rate_of_its_own() -> None:
    front = Front()
    front.admission.seen = Seen(rates={1: Rate(0, 1), 2: Rate(1, 1)})

    replies = front.ask(*[(0, 1, EVENT)] * 50, *[(0, 2, EVENT)] * 2)

    assert Counter(reply.status for reply in replies) == {200: 51, 429: 1}


@pytest.mark.parametrize(
    ("seen", "statuses", "limits"),
    [
        (Seen(everybody="disk"), [429, 429], "10::organization:disk"),
        (Seen(projects={1: "backlog"}), [429, 200], "10::organization:backlog"),
    ],
)
def test_without_room_every_kind_is_held_back(seen: Seen, statuses: list[int], limits: str) -> None:
    front = Front()
    front.admission.seen = seen

    replies = front.ask((0, 1, SESSION), (0, 2, EVENT))

    assert [reply.status for reply in replies] == statuses
    assert replies[0].headers["x-sentry-rate-limits"] == limits


def test_the_oldest_bucket_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admissions, "MAX_BUCKETS", 2)
    front = Front()
    front.ask(*[(0, 1, EVENT)] * 20, *[(0, project, EVENT) for project in (2, 3)])

    assert [reply.status for reply in front.ask((0, 1, EVENT))] == [200]


def backlog(**projects: tuple[int, float]) -> Backlog:
    """Projects as p<number>=(bodies of 10 bytes, minutes that the oldest has waited)."""
    found = {int(name[1:]): Waiting(rows, NOON - minutes(age)) for name, (rows, age) in projects.items()}
    return Backlog(found, 10 * sum(each.rows for each in found.values()))


@pytest.mark.parametrize(
    ("found", "free", "expected"),
    [
        (Backlog(), 500, ("", {})),
        (Backlog(), 499, ("disk", {})),
        (Backlog(), None, ("", {})),
        (backlog(p1=(10, 0)), 699, ("disk", {})),
        (backlog(p1=(10, 0)), 700, ("", {})),
        (backlog(p1=(500, 0)), None, ("", {})),
        (backlog(p1=(501, 0), p2=(1, 0)), None, ("", {1: "backlog"})),
        (backlog(p1=(1, 61), p2=(1, 59)), None, ("", {1: "backlog"})),
        (backlog(p1=(700, 0), p2=(300, 0)), None, ("inbox", {})),
        (dataclasses.replace(backlog(p1=(2, 0)), size_bytes=10_000), None, ("inbox", {})),
        (
            dataclasses.replace(backlog(p1=(2, 0), p2=(1, 0)), size_bytes=9_000),
            None,
            ("", {1: "backlog", 2: "backlog"}),
        ),
    ],
)
def test_room_is_judged(found: Backlog, free: int | None, expected: tuple[str, dict[int, str]]) -> None:
    assert judge(found, bounds=BOUNDS, free=free, now=NOON) == expected


@pytest.mark.django_db(databases="__all__")
@pytest.mark.database
def test_the_watch_sees_what_waits_and_whose_rate_is_its_own(settings: Settings) -> None:
    settings.WEB_PROCESSES, settings.EVENT_BURST = 2, 100
    service = ServiceFactory.create(event_rate=8)
    other = ServiceFactory.create(event_burst=4)
    ServiceFactory.create()
    assert rates_of_services(2) == {service.number: Rate(4, 50), other.number: Rate(500, 2)}
    store_rows([Row(5, "envelope", "", "", b"x", NOON - dt.timedelta(days=2))])
    admission = Admission(dataclasses.replace(BOUNDS, reserved_bytes=0))
    watch = Watch(admission, now=lambda: NOON)

    watch.look()
    watch.look()

    assert admission.seen == Seen("", {5: "backlog"}, rates_of_services(2))


def test_the_bounds_are_those_of_the_settings(settings: Settings) -> None:
    settings.WEB_PROCESSES = 4

    assert Bounds.from_settings() == Bounds(
        Rate(250, 25_000), Rate(250, 25_000), dt.timedelta(days=1), 1_000_000, 4_096 * 1024 * 1024, 256 * 1024 * 1024
    )


# -- counting -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.database
def test_refusals_are_written_by_service_hour_and_reason() -> None:
    service: Service = ServiceFactory.create()
    hour = NOON - minutes(60)
    tally = Tally(now=lambda: NOON + minutes(17))
    for reason in ("rate", "rate", "wrong_key"):
        tally.add(service.number, reason)
    tally.add(10**9, "wrong_key")
    tally.add(None, "malformed")

    tally.flush()
    tally.flush()
    assert record_refusals(Counter({Refused(service.number, hour, "rate"): 5, Refused(10**9, hour, "rate"): 4})) == 4

    rows = IngestCount.objects.order_by("hour_at", "outcome").values_list("hour_at", "item", "outcome", "quantity")
    assert list(rows) == [
        (hour, "body", "refused:rate", 5),
        (NOON, "body", "refused:rate", 2),
        (NOON, "body", "refused:wrong_key", 1),
    ]


def test_a_burst_of_bad_keys_takes_bounded_memory_and_crowds_nobody_out() -> None:
    front = Front()
    for number in range(100_000):
        front.tally.add(number, "wrong_key")
    front.tally.add(7, "rate")
    front.tally.add(10**6, "rate")

    front.tally.flush()

    assert len(front.counts) == MAX_KEYS // 2 + 2
    assert (front.counts[Refused(7, NOON, "rate")], front.counts[Refused(10**6, NOON, "rate")]) == (1, 1)


def test_counts_wait_for_a_database_that_is_away() -> None:
    problems: list[Exception] = [OperationalError("gone")]
    written: Counter[Refused] = Counter()

    def record(counts: Counter[Refused]) -> int:
        if problems:
            raise problems.pop()
        written.update(counts)
        return 0

    tally = Tally(record=record, now=lambda: NOON)
    tally.add(1, "rate")
    with pytest.raises(OperationalError):
        tally.flush()
    tally.add(1, "rate")
    tally.flush()

    assert written == {Refused(1, NOON, "rate"): 2}


def test_a_chore_repeats_survives_trouble_and_works_a_last_time_when_stopped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING")
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise (OperationalError("gone"), ValueError("odd"))[len(calls) - 1]

    chore = Repeating("chore", seconds=0.001, work=work)
    chore.start()
    while len(calls) < 4:
        pass
    chore.stop()
    count = len(calls)
    chore.stop()

    assert (count >= 5, len(calls)) == (True, count)
    assert [record.getMessage() for record in caplog.records] == ["a chore could not be done yet", "a chore failed"]
