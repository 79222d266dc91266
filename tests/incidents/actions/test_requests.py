"""Requests and their latencies by service, environment, release and five minutes."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import Error, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from incidents.actions.requests import MOST_RELEASES, OTHERS, count_requests, forget_requests
from incidents.domain.latency import ACCURACY
from incidents.formats.requests import Request
from incidents.models import RequestCount
from incidents.queries.latency import latencies, together
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def request(key: str = "", **fields: Any) -> Request:
    given = {"at": NOON, "seconds": 0.1, "failed": False, "environment": "production", "release": "r"}
    return Request(key=key, **(given | fields))


def rows() -> list[tuple[object, ...]]:
    return list(
        RequestCount.objects.order_by("bucket_at", "release").values_list("bucket_at", "release", "count", "failed")
    )


def test_requests_add_up_in_five_minutes_and_their_latencies_merge() -> None:
    service = ServiceFactory.create()

    for number in range(4):
        batch = [request(seconds=0.001 * each, failed=each == 7) for each in range(1 + number * 25, 26 + number * 25)]
        count_requests(service=service, requests=batch, received_at=NOON)
    count_requests(service=service, requests=[request(at=NOON + minutes(5), seconds=None)], received_at=NOON)

    assert rows() == [(NOON, "r", 100, 1), (NOON + minutes(5), "r", 1, 0)]
    found = latencies(services=[service.pk], begins_at=NOON, ends_at=NOON + minutes(60))
    assert list(found) == [("r", NOON)]
    told = found["r", NOON]
    assert (told.count, told.failed) == (101, 1)
    assert [told.p50, told.p95, told.p99] == [
        pytest.approx(exact, rel=ACCURACY) for exact in (0.050, 0.095, 0.099)
    ]  # fmt: skip


def test_windows_and_steps_and_environments() -> None:
    service = ServiceFactory.create()
    batch = [request(at=NOON + minutes(30 * number), environment=name) for number in range(4) for name in ("production", "staging")]  # fmt: skip
    count_requests(service=service, requests=batch, received_at=NOON)
    production = service.team.environments.get(name="production").pk

    hours = latencies(services=[service.pk], begins_at=NOON, ends_at=NOON + minutes(120), step=minutes(60))
    one = latencies(services=[service.pk], begins_at=NOON, ends_at=NOON + minutes(31), environments=[production])

    assert {key: each.count for key, each in hours.items()} == {("r", NOON): 4, ("r", NOON + minutes(60)): 4}
    assert {key: each.count for key, each in one.items()} == {("r", NOON): 2}
    assert together(hours.values()).count == 8
    assert latencies(services=[service.pk], begins_at=NOON - minutes(60), ends_at=NOON) == {}


def test_a_request_told_twice_in_a_batch_is_one() -> None:
    service = ServiceFactory.create()

    assert count_requests(service=service, requests=[request("a"), request("a"), request()], received_at=NOON) == 2
    assert rows() == [(NOON, "r", 2, 0)]


def test_made_up_releases_fill_no_table() -> None:
    service = ServiceFactory.create()

    for start in (0, 15, 30):
        batch = [request(release=f"r{number:03}") for number in range(start, start + 30)]
        count_requests(service=service, requests=batch, received_at=NOON)

    assert RequestCount.objects.count() == MOST_RELEASES + 1
    assert sum(RequestCount.objects.values_list("count", flat=True)) == 90
    assert RequestCount.objects.get(release=OTHERS).count == 65


def test_nothing_costs_nothing_and_many_cost_as_much_as_one() -> None:
    service = ServiceFactory.create()
    count_requests(service=service, requests=[request(at=NOON - minutes(60))], received_at=NOON)
    costs = []

    for many in (0, 1, 30):
        batch = [request(at=NOON + minutes(number + many * 60)) for number in range(many)]
        with CaptureQueriesContext(connection) as queries:
            count_requests(service=service, requests=batch, received_at=NOON)
        costs.append(len(queries))

    assert costs[0] == 0
    assert costs[1] == costs[2]


def test_old_latencies_are_forgotten() -> None:
    service = ServiceFactory.create()
    count_requests(service=service, requests=[request(), request(at=NOON + minutes(10))], received_at=NOON)

    assert forget_requests(now=NOON + dt.timedelta(days=90, minutes=1)) == 1
    assert rows() == [(NOON + minutes(10), "r", 1, 0)]


@pytest.mark.django_db(transaction=True)
def test_two_workers_lose_no_latency() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer")
    service = ServiceFactory.create()
    problems: list[Error] = []

    def work() -> None:
        try:
            for _ in range(10):
                batch = [request(at=NOON + minutes(5 * number), seconds=0.2) for number in range(5)]
                with transaction.atomic():
                    count_requests(service=service, requests=batch, received_at=NOON)
        except Error as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    found = latencies(services=[service.pk], begins_at=NOON, ends_at=NOON + minutes(60))["r", NOON]
    assert (found.count, sum(found.sketch.values())) == (150, 150)
