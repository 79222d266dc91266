"""Several workers at one inbox: PostgreSQL only, the embedded mode digests in one process at a time."""

from __future__ import annotations

import pytest

from tests.incidents.live import Live
from tests.incidents.load import Load, reckoning
from tests.instance import eventually

pytestmark = [pytest.mark.processes, pytest.mark.services]


def test_counters_are_exact_with_four_workers_at_once(postgres_live: Live) -> None:
    with Load(postgres_live) as load:
        eventually(lambda: len(load.acknowledged) >= 800, seconds=120, what="a backlog")
        for number in range(4):
            postgres_live.start(f"worker {number}")
        eventually(lambda: len(load.acknowledged) >= 1_600, seconds=120, what="more, while they digest")

    assert reckoning(postgres_live, load) == {}
