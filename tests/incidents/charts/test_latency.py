"""The figure of how long requests took."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from incidents.charts.latency import ReleaseLatency, latency_by_release, took
from tests.conftest import NOON

HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0.0004, "0.4 ms"), (0.048, "48 ms"), (0.9994, "999 ms"), (1.236, "1.24 s"), (2400.0, "2,400 s")],
)
def test_a_latency_in_words(seconds: float | None, words: str) -> None:
    assert took(seconds).replace("\N{NO-BREAK SPACE}", " ") == words


def test_lines_for_the_busiest_releases_and_a_row_for_each() -> None:
    releases = [ReleaseLatency(f"r{number}", number, 1, 0.05, 0.2, 1.5, [0.2, None]) for number in range(1, 7)]

    figure = latency_by_release(begins_at=NOON, step=HOUR, releases=releases, zone=ZoneInfo("UTC"))

    assert [trace["y"] for trace in figure.json["data"]] == [[200.0, None]] * 4
    assert [row[0] for row in figure.table] == ["r6", "r5", "r4", "r3", "r2", "r1"]
    assert [str(cell).replace("\N{NO-BREAK SPACE}", " ") for cell in figure.table[0]] == [
        "r6", "6", "16.7 %", "50 ms", "200 ms", "1.5 s",
    ]  # fmt: skip
    assert figure.sentence.replace("\N{NO-BREAK SPACE}", " ").startswith(
        "21 traced requests in 24 hours: r6 half within 50 ms, 95 of 100 within 200 ms; "
    )


def test_requests_without_a_release_or_a_time() -> None:
    figure = latency_by_release(
        begins_at=NOON, step=HOUR, releases=[ReleaseLatency("", 1, 0, None, None, None, [None])], zone=ZoneInfo("UTC")
    )

    assert list(figure.table) == [("no release", "1", "0\N{NO-BREAK SPACE}%", "–", "–", "–")]
