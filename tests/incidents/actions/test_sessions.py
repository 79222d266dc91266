"""A session counts once and fails once, whatever becomes of its updates on the way."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import Error, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploys.models import Service
from incidents.actions.sessions import count_sessions, forget_sessions
from incidents.actions.traffic import record_sessions
from incidents.domain.sessions import FAILED_STATES, STATES
from incidents.formats.sessions import SessionUpdate, parse_session
from incidents.models import SessionSeen, TrafficCount
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ANN, BOB = "0" * 31 + "a", "0" * 31 + "b"


def update(sid: str = ANN, **fields: Any) -> SessionUpdate:
    attributes = {"release": fields.pop("release", "r"), "environment": "production"}
    payload = {"sid": sid, "started": NOON.isoformat(), "timestamp": NOON.isoformat(), "attrs": attributes, **fields}
    found = parse_session(payload)
    assert isinstance(found, SessionUpdate)
    return found


def count(service: Service, *updates: SessionUpdate, at: dt.datetime = NOON) -> None:
    for hour, lines in count_sessions(service=service, updates=[(each, at) for each in updates]).items():
        record_sessions(service=service, lines=lines, received_at=hour)


def totals(service: Service) -> list[tuple[dt.datetime, str, int, int | None]]:
    rows = TrafficCount.objects.filter(service=service).order_by("at", "release", "received_at")
    return list(rows.values_list("at", "release", "count", "failed"))


def test_a_session_told_five_times_is_one() -> None:
    service = ServiceFactory.create()

    count(service, update(init=True), update(seq=2), update(seq=3, status="crashed"))
    count(service, update(seq=3, status="crashed"), update(init=True))
    count(service, update(seq=9, status="exited"), at=NOON + minutes(70))

    assert totals(service) == [(NOON, "r", 1, 1)]


def test_a_failure_that_comes_an_hour_later_is_known_since_then() -> None:
    service = ServiceFactory.create()

    count(service, update(init=True), update(BOB, init=True))
    count(service, update(seq=5, status="abnormal"), at=NOON + minutes(61))

    assert totals(service) == [(NOON, "r", 2, 0), (NOON, "r", 0, 1)]


def test_a_session_that_had_ended_before_its_crash_did_not_fail() -> None:
    service = ServiceFactory.create()

    count(service, update(seq=5, status="crashed"))
    count(service, update(seq=4, status="exited"), at=NOON + minutes(61))

    assert totals(service) == [(NOON, "r", 1, 0)]


def test_sessions_of_two_services_are_two() -> None:
    services = [ServiceFactory.create(), ServiceFactory.create()]

    for service in services:
        count(service, update(init=True))

    assert [totals(service) for service in services] == [[(NOON, "r", 1, 0)]] * 2


STEPS = st.tuples(st.sampled_from([ANN, BOB]), st.integers(0, 3), st.sampled_from(sorted(STATES)))


def expected(steps: Sequence[tuple[str, int, str]]) -> tuple[int, int]:
    """Sessions and failed ones, by the words of the protocol: the first final state stands."""
    failed = 0
    for sid in {sid for sid, _, _ in steps}:
        final = [(seq, status not in FAILED_STATES) for each, seq, status in steps if each == sid and status != "ok"]
        failed += bool(final) and not min(final)[1]
    return len({sid for sid, _, _ in steps}), failed


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=1, max_size=6), repeated=st.lists(st.integers(0, 5), max_size=4), data=st.data())
def test_any_order_repetition_and_batching_gives_the_same_counts(
    steps: list[tuple[str, int, str]], repeated: list[int], data: st.DataObject
) -> None:
    service = ServiceFactory.create()
    sent = data.draw(st.permutations([*steps, *(steps[place % len(steps)] for place in repeated)]))
    cut = data.draw(st.integers(0, len(sent)))

    for number, batch in enumerate((sent[:cut], sent[cut:])):
        updates = [update(sid, seq=seq, status=status, init=seq == 0) for sid, seq, status in batch]
        count(service, *updates, at=NOON + number * minutes(60))

    found = totals(service)
    assert (sum(row[2] for row in found), sum(row[3] or 0 for row in found)) == expected(steps)
    assert SessionSeen.objects.filter(service=service).count() == expected(steps)[0]


def test_sessions_are_forgotten_after_five_quiet_days_and_do_not_count_again() -> None:
    service = ServiceFactory.create()
    count(service, update(init=True), update(BOB, init=True))
    count(service, update(BOB, seq=7), at=NOON + dt.timedelta(days=4))

    assert forget_sessions(now=NOON + dt.timedelta(days=5, seconds=1)) == 1
    assert list(SessionSeen.objects.values_list("sid", flat=True)) == [BOB]
    late = NOON + dt.timedelta(days=6)
    count(service, update(seq=8, status="exited"), update(BOB, seq=8, status="crashed"), at=late)

    assert totals(service) == [(NOON, "r", 2, 0), (NOON, "r", 0, 1)]


def test_new_sessions_cost_one_statement_however_many() -> None:
    service = ServiceFactory.create()
    count(service, update(f"{99:032x}", init=True))
    costs = []

    for first, many in ((0, 1), (10, 3)):
        updates = [(update(f"{first + number:032x}", init=True), NOON) for number in range(many)]
        with CaptureQueriesContext(connection) as queries:
            count_sessions(service=service, updates=updates)
        costs.append(len(queries))

    assert costs == [2, 2]  # the environments, and the rows
    with CaptureQueriesContext(connection) as queries:
        count_sessions(service=service, updates=[])
    assert len(queries) == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_updates_of_the_same_sessions() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer")
    service = ServiceFactory.create()
    sids = [f"{number:032x}" for number in range(40)]
    problems: list[Error] = []

    def work(order: Sequence[str]) -> None:
        try:
            for start in range(0, len(order), 10):
                with transaction.atomic():
                    count(service, *(update(sid, init=True, status="crashed") for sid in order[start : start + 10]))
        except Error as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(order,)) for order in (sids, sids[::-1], sids)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert totals(service) == [(NOON, "r", 40, 40)]
