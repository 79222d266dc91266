"""Refusals of a running instance reach the counts, also those counted just before it ends."""

from __future__ import annotations

import signal

import pytest

from tests.incidents.live import Live

pytestmark = pytest.mark.processes


def test_a_normal_end_loses_no_count(live: Live) -> None:
    wrong = {"X-Sentry-Auth": "Sentry sentry_key=" + "0" * 32}
    statuses = [live.post("/api/42/envelope/", b"x", wrong)[0] for _ in range(3)]
    statuses += [live.post("/api/42/envelope/", b"no envelope")[0]]

    web = live.children["web"]
    web.send_signal(signal.SIGTERM)
    web.wait(20)

    assert statuses == [403, 403, 403, 400]
    counts = live.query("SELECT outcome, SUM(quantity) FROM incidents_ingestcount GROUP BY outcome ORDER BY outcome")
    assert counts == [("refused:malformed", 1), ("refused:wrong_key", 3)]
