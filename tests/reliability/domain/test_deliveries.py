"""When a notice is tried again, and what a receiver's answer means."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.deliveries import (
    LONGEST_ASKED_WAIT,
    MOST_ATTEMPTS,
    WAITS,
    asked_wait,
    next_wait,
    verdict_of_status,
)
from reliability.domain.folding import leading
from reliability.domain.incident_news import What


def test_waits_grow_and_end_within_a_day() -> None:
    waits = [next_wait(attempts, key="a") for attempts in range(1, MOST_ATTEMPTS + 1)]

    assert waits[-1] is None
    kept = [wait for wait in waits if wait is not None]
    assert kept == sorted(kept)
    assert all(low <= wait <= low * 1.1 for low, wait in zip(WAITS, kept, strict=True))
    assert timedelta(hours=12) < sum(kept, timedelta(0)) < timedelta(hours=24)


@given(asked=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_a_receiver_may_ask_for_a_later_time_but_not_for_any(asked: timedelta) -> None:
    wait = next_wait(1, key="a", asked=asked)

    assert wait is not None
    assert wait >= min(asked, LONGEST_ASKED_WAIT)
    assert wait <= LONGEST_ASKED_WAIT


@pytest.mark.parametrize(
    ("status", "slack", "webhook"),
    [(200, "sent", "sent"), (204, "sent", "sent"), (302, "again", "again"), (400, "refused", "again"), (404, "gone", "again"),
     (408, "again", "again"), (410, "gone", "gone"), (429, "again", "again"), (500, "again", "again"), (503, "again", "again")],
)  # fmt: skip
def test_what_an_answer_means(status: int, slack: str, webhook: str) -> None:
    assert verdict_of_status(status, is_strict=True) == slack
    assert verdict_of_status(status, is_strict=False) == webhook


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("30", 30),
        (" 0 ", 0),
        ("", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", None),
        ("\u0663", None),
        ("9" * 9, None),
    ],
)
def test_retry_after_is_read_where_it_holds_seconds(header: str, wait: int | None) -> None:
    assert asked_wait(header) == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("waiting", "told"),
    [("opened", 0), ("opened cause", 0), ("opened worsened cause", 0), ("opened restored", 1), ("worsened cause", 1), ("restored reopened cause", 1),
     ("opened withdrawn", 1)],
)  # fmt: skip
def test_of_news_that_wait_together_one_is_told(waiting: str, told: int) -> None:
    assert leading([What(word) for word in waiting.split()]) == told
