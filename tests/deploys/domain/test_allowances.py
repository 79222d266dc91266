from __future__ import annotations

from deploys.domain.allowances import MOST, Allowances


def test_two_seconds_at_once_and_then_at_the_rate() -> None:
    allowed = Allowances(2)

    assert [allowed.wait("a", 10.0) for _ in range(5)] == [0, 0, 0, 0, 1]
    assert [allowed.wait("a", 10.5), allowed.wait("a", 10.5), allowed.wait("b", 10.5)] == [0, 1, 0]


def test_a_slow_rate_says_how_long_to_wait() -> None:
    allowed = Allowances(0.25)

    assert [allowed.wait("a", at) for at in (0.0, 2.0, 4.0, 4.0)] == [0, 2, 0, 4]


def test_no_rate_limits_nobody() -> None:
    assert [Allowances(0).wait("a", 0.0) for _ in range(3)] == [0, 0, 0]


def test_who_was_quiet_longest_is_forgotten() -> None:
    allowed = Allowances(1)
    for sender in range(MOST):
        allowed.wait(str(sender), 0.0)
    allowed.wait("0", 0.0)
    allowed.wait("new", 0.0)

    assert [allowed.wait("1", 0.0), allowed.wait("0", 0.0)] == [0, 1]
