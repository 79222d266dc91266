"""Several workers at one inbox. At once on PostgreSQL only: the embedded mode digests in one process at a time."""

from __future__ import annotations

import json

import pytest

from incidents.actions.cardinality import MOST_NAMES
from tests.incidents.live import Live
from tests.incidents.load import Load, reckoning
from tests.instance import eventually

pytestmark = pytest.mark.processes
SESSION_AT = "2026-11-21T01:00:00Z"


def send_releases(live: Live, first: int, count: int) -> None:
    """One session of each release, five releases in a body."""
    bodies = []
    for number in range(first, first + count, 5):
        items = [
            json.dumps({"attrs": {"release": f"1.{release}"}, "aggregates": [{"started": SESSION_AT, "exited": 1}]})
            for release in range(number, number + 5)
        ]
        bodies.append("\n".join(["{}", *(f'{{"type":"sessions"}}\n{item}' for item in items)]).encode())
    assert {status for status, _ in live.post_at_once(bodies, threads=4)} == {200}


def check_releases(live: Live, *, sent: int) -> None:
    live.wait_until_digested()
    found = live.query("SELECT count(DISTINCT release), sum(count) FROM incidents_trafficcount")
    assert [(int(releases), int(sessions)) for releases, sessions in found] == [(MOST_NAMES + 1, sent)]


@pytest.mark.services
def test_workers_at_once_share_the_bound_of_names(postgres_live: Live) -> None:
    send_releases(postgres_live, 0, 2 * MOST_NAMES)
    for number in range(2):
        postgres_live.start(f"worker {number}")

    check_releases(postgres_live, sent=2 * MOST_NAMES)


def test_a_worker_keeps_the_bound_of_names_of_the_one_before(live: Live) -> None:
    for first in (0, MOST_NAMES):
        send_releases(live, first, MOST_NAMES)
        live.start_worker()
        live.wait_until_digested()
        live.kill("worker")

    check_releases(live, sent=2 * MOST_NAMES)


@pytest.mark.services
def test_counters_are_exact_with_four_workers_at_once(postgres_live: Live) -> None:
    with Load(postgres_live) as load:
        eventually(lambda: len(load.acknowledged) >= 800, seconds=120, what="a backlog")
        for number in range(4):
            postgres_live.start(f"worker {number}")
        eventually(lambda: len(load.acknowledged) >= 1_600, seconds=120, what="more, while they digest")

    assert reckoning(postgres_live, load) == {}
