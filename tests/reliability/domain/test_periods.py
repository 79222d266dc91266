from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.periods import NotAPeriod, PeriodKind, period_holding, period_labelled

BERLIN = ZoneInfo("Europe/Berlin")
instants = st.integers(10_600, 47_000).map(lambda day: datetime.fromtimestamp(day * 86_399, UTC))
zones = st.sampled_from([ZoneInfo("UTC"), BERLIN, ZoneInfo("Pacific/Apia"), ZoneInfo("America/St_Johns")])


@pytest.mark.parametrize(
    ("label", "kind", "start", "hours"),
    [
        ("2026-W13", PeriodKind.WEEK, "2026-03-22T23:00", 167),
        ("2026-W53", PeriodKind.WEEK, "2026-12-27T23:00", 168),
        ("2026-03", PeriodKind.MONTH, "2026-02-28T23:00", 31 * 24 - 1),
        ("2026-10", PeriodKind.MONTH, "2026-09-30T22:00", 31 * 24 + 1),
        ("2026-12", PeriodKind.MONTH, "2026-11-30T23:00", 31 * 24),
        ("2026-Q1", PeriodKind.QUARTER, "2025-12-31T23:00", 90 * 24 - 1),
        ("2026-Q4", PeriodKind.QUARTER, "2026-09-30T22:00", 92 * 24 + 1),
    ],
)
def test_a_label_names_a_period_by_the_clocks_of_the_zone(label: str, kind: PeriodKind, start: str, hours: int) -> None:
    period = period_labelled(label, BERLIN)

    assert (period.kind, period.label) == (kind, label)
    assert period.interval.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert period.interval.end - period.interval.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    "label", ["", "2026", "2026-W54", "2025-W53", "2026-W1", "2026-13", "2026-00", "2026-Q5", "2026-Q0", "1969-01",
              "9999-12", "0000-W01", "2026-W13 ", "২০২৬-০৩-x", "2026-03-01"],
)  # fmt: skip
def test_what_is_no_period(label: str) -> None:
    with pytest.raises(NotAPeriod, match="expected a period such as"):
        period_labelled(label, BERLIN)


@given(st.sampled_from(PeriodKind), instants, zones)
def test_periods_follow_each_other_without_gap_and_are_found_again(
    kind: PeriodKind, at: datetime, zone: ZoneInfo
) -> None:
    period = period_holding(kind, at, zone)

    assert period.interval.holds(at)
    assert period_labelled(period.label, zone) == period
    assert period.moved(1).interval.start == period.interval.end
    assert period.moved(1).moved(-1) == period
    assert [each.label for each in period.until(3)] == [period.moved(-2).label, period.moved(-1).label, period.label]
    assert period.before(4).start == period.moved(-4).interval.start
    assert period.before(4).end == period.interval.start
