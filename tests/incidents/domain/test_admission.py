"""Rates and room."""

from __future__ import annotations

import pytest

from incidents.domain.admission import Bucket, Rate, has_room, rate_limits


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    rate, bucket = Rate(2, 10), Bucket(tokens=10, at=0)

    taken = [bucket.take(1, rate=rate, now=now / 8) for now in range(81)]

    assert (taken[:10], sum(taken)) == ([True] * 10, 10 + 2 * 10)


def test_a_bucket_never_holds_more_than_its_burst_and_minds_no_clock_that_goes_back() -> None:
    rate, bucket = Rate(1, 3), Bucket(tokens=3, at=100)

    assert [bucket.take(1, rate=rate, now=now) for now in (1_000, 1_000, 1_000, 1_000, 900, 901)] == [
        True, True, True, False, False, True,
    ]  # fmt: skip


def test_more_than_the_burst_leaves_a_debt() -> None:
    rate, bucket = Rate(1, 3), Bucket(tokens=3, at=0)

    assert [bucket.take(5, rate=rate, now=0), bucket.tokens] == [True, -2]
    assert [bucket.take(1, rate=rate, now=2.5), bucket.take(1, rate=rate, now=3)] == [False, True]


def test_no_rate_is_no_limit() -> None:
    bucket = Bucket(tokens=0, at=0)

    assert all(bucket.take(1_000, rate=Rate(0, 1), now=0) for _ in range(10))


def test_processes_share_a_rate() -> None:
    assert Rate(100, 3).shared_by(4) == Rate(25, 1)


@pytest.mark.parametrize(
    ("own", "total", "expected"),
    [(0, 0, True), (50, 50, True), (51, 51, False), (0, 99, True), (2, 99, False), (0, 100, False)],
)
def test_nobody_may_hold_more_than_what_is_left(own: int, total: int, expected: bool) -> None:
    assert has_room(own=own, total=total, most=100) is expected


def test_limits_as_clients_read_them() -> None:
    assert (
        rate_limits(seconds=10, categories=("error", "default"), reason="rate") == "10:error;default:organization:rate"
    )
    assert rate_limits(seconds=2, reason="disk") == "2::organization:disk"
