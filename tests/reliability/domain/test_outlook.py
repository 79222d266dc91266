"""What becomes of a budget at the pace so far."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.instants import instant_text
from reliability.domain.outlook import Fate, Outlook, outlook_of

NOW = datetime(2026, 4, 11, tzinfo=UTC)
DAY = timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")


def objective(**more: object) -> dict[str, Any]:
    """30 days of 99.9 %: 2,592 s."""
    values: dict[str, Any] = {
        "sli": "time", "window": "30d", "evaluated_at": instant_text(NOW), "enough_data": True, "spent_seconds": 900.0,
        "remaining_seconds": 1_692.0, "projected_exhaustion_at": instant_text(NOW + 10 * DAY), "exhausted_at": None,
    }  # fmt: skip
    return values | more


@pytest.mark.parametrize(
    ("more", "fate", "words"),
    [
        ({}, Fate.ENDS, "at this pace: 21 April 00:00"),
        ({"projected_exhaustion_at": instant_text(NOW + 5 * DAY + timedelta(hours=14))}, Fate.ENDS, "at this pace: Thursday 14:00"),
        ({"projected_exhaustion_at": instant_text(NOW + 30 * DAY)}, Fate.LASTS, "lasts the window"),
        ({"projected_exhaustion_at": instant_text(NOW + 30 * DAY - timedelta(minutes=1))}, Fate.ENDS, "at this pace: 10 May 23:59"),
        ({"projected_exhaustion_at": None, "spent_seconds": 0.0}, Fate.LASTS, "lasts the window"),
        ({"projected_exhaustion_at": None, "window": "month"}, Fate.LASTS, "lasts the month"),
        ({"projected_exhaustion_at": instant_text(NOW + 60 * DAY), "window": "quarter"}, Fate.ENDS, "at this pace: 10 June 00:00"),
        ({"projected_exhaustion_at": None, "remaining_seconds": -1.0}, Fate.SPENT, "spent"),
        ({"projected_exhaustion_at": None, "remaining_seconds": 0.0}, Fate.SPENT, "spent"),
        ({"projected_exhaustion_at": None, "remaining_seconds": -1.0, "exhausted_at": instant_text(NOW - 4 * DAY)}, Fate.SPENT, "spent since Tuesday 00:00"),
        ({"projected_exhaustion_at": None, "remaining_seconds": -1.0, "exhausted_at": "2025-12-30T10:06:24Z"}, Fate.SPENT, "spent since 30 December 2025 10:06"),
        ({"enough_data": False}, Fate.NOT_KNOWN, "not known"),
        ({"sli": "requests", "spent_requests": 1, "remaining_requests": 4, "projected_exhaustion_at": None}, Fate.NOT_PROJECTED, "not projected"),
        ({"sli": "requests", "spent_requests": 9, "remaining_requests": -4, "projected_exhaustion_at": None}, Fate.SPENT, "spent"),
    ],
)  # fmt: skip
def test_the_rule(more: dict[str, object], fate: Fate, words: str) -> None:
    found = outlook_of(objective(**more))

    assert (found.fate, found.words(UTC_ZONE)) == (fate, words)


def test_times_are_those_of_the_zone() -> None:
    outlook = Outlook(Fate.ENDS, NOW + DAY, NOW, "30d")

    assert outlook.words(ZoneInfo("Asia/Tokyo")) == "at this pace: Sunday 09:00"


seconds = st.integers(1, 10**7)


@given(budget=seconds, spent=seconds, elapsed=seconds, days=st.sampled_from([7, 28, 30, 90]))
def test_what_is_spent_at_the_pace_until_the_end_is_the_budget(
    budget: int, spent: int, elapsed: int, days: int
) -> None:
    pace = Fraction(spent, elapsed)
    end = NOW + timedelta(seconds=float((budget - spent) / pace)) if 0 < budget - spent < pace * 10**9 else None
    found = outlook_of(
        objective(
            window=f"{days}d", spent_seconds=float(spent), remaining_seconds=float(budget - spent),
            projected_exhaustion_at=None if end is None else instant_text(end),
        )
    )  # fmt: skip

    if spent >= budget:
        assert found.fate is Fate.SPENT
    elif found.fate is Fate.ENDS:
        assert found.at is not None
        assert NOW <= found.at < NOW + days * DAY
        assert float(spent + pace * Fraction((found.at - NOW).total_seconds())) == pytest.approx(
            budget, abs=float(pace) * 1e-3 + 1e-6
        )
    else:
        assert found.fate is Fate.LASTS
        assert spent + pace * days * 86_400 <= budget + pace  # a second of rounding


@given(budget=seconds, spent=seconds, more=seconds, elapsed=seconds)
def test_more_spent_never_lasts_longer(budget: int, spent: int, more: int, elapsed: int) -> None:
    ends = []
    for bad in (spent, spent + more):
        left = (budget - bad) * elapsed / bad
        gone = instant_text(NOW + timedelta(seconds=left)) if 0 < left < 10**9 else None
        found = outlook_of(
            objective(spent_seconds=float(bad), remaining_seconds=float(budget - bad), projected_exhaustion_at=gone)
        )
        ends.append({Fate.SPENT: NOW, Fate.LASTS: NOW + 10_000 * DAY}.get(found.fate) or found.at)

    assert ends[1] <= ends[0]
