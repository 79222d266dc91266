"""Runs of jobs: what their reports say together, in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.jobs import ERROR, IN_PROGRESS, OK, TIMEOUT, Report, Run, run_of

AT = datetime(2026, 3, 4, 2, tzinfo=UTC)
LIMIT = timedelta(minutes=30)


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("reports", "now", "expected"),
    [
        ([Report(AT, IN_PROGRESS)], after(29), (IN_PROGRESS, None)),
        ([Report(AT, IN_PROGRESS)], after(30), (TIMEOUT, None)),
        ([Report(AT, IN_PROGRESS), Report(after(5), OK)], after(99), (OK, 300.0)),
        ([Report(after(5), OK, 120.0)], after(99), (OK, 120.0)),
        ([Report(AT, IN_PROGRESS), Report(after(40), OK)], after(99), (TIMEOUT, 2400.0)),
        ([Report(AT, IN_PROGRESS), Report(after(40), OK, 60.0)], after(99), (OK, 60.0)),
        ([Report(after(40), ERROR)], after(99), (ERROR, 0.0)),
        ([Report(after(1), OK), Report(after(2), ERROR)], after(99), (ERROR, 60.0)),
        ([Report(after(1), OK), Report(after(1), ERROR)], after(99), (ERROR, 0.0)),
    ],
)
def test_what_became_of_a_run(reports: list[Report], now: datetime, expected: tuple[str, float | None]) -> None:
    run = run_of(reports)

    assert (run.outcome(max_runtime=LIMIT, now=now), run.seconds) == expected


REPORTS = st.builds(
    Report,
    at=st.integers(0, 5).map(after),
    status=st.sampled_from([IN_PROGRESS, OK, ERROR]),
    seconds=st.none() | st.sampled_from([0.0, 30.0, 9000.0]),
)


@given(st.lists(REPORTS, min_size=1, max_size=6), st.randoms(), st.integers(1, 5))
def test_any_order_and_repetition_says_the_same(reports: list[Report], random: object, cut: int) -> None:
    shuffled = [*reports, *reports]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random

    whole = run_of(reports)

    assert run_of(shuffled) == whole
    assert run_of(reports[:cut]).joined(run_of(reports[cut:] or reports)) == whole
    assert whole.seconds is None or whole.seconds >= 0


def test_a_run_that_nobody_ended_has_no_length() -> None:
    assert Run(AT).seconds is None
