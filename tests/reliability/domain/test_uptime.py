from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from deploys.domain.instants import FAR_FUTURE, FAR_PAST
from reliability.domain.intervals import Interval
from reliability.domain.uptime import Hit, Measure, State, Timeline, any_down, percent_text, service_timeline
from reliability.domain.weeks import week_of

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = 3_600_000_000
FOR_EVER = Interval(FAR_PAST, FAR_FUTURE)


def hours(start: float, end: float) -> Interval:
    return Interval(START + timedelta(hours=start), START + timedelta(hours=end))


def hit(start: float, end: float, degradation: str = "1", incident: str = "i") -> Hit:
    return Hit(hours(start, end), Fraction(degradation), incident)


def timeline(
    *hits: Hit, life: Interval = FOR_EVER, excused: tuple[Interval, ...] = (), gaps: tuple[Interval, ...] = ()
) -> Timeline:
    return service_timeline(life, excused, gaps, hits)


def states(line: Timeline, until: int) -> list[State]:
    return [next(iter(line.parts(hours(hour, hour + 1))))[0].state for hour in range(until)]


def test_one_state_at_every_instant_in_the_stated_order() -> None:
    line = timeline(hit(1, 4), life=hours(0, 6), excused=(hours(1, 2),), gaps=(hours(1, 5),))

    assert states(line, 7) == [
        State.UP,
        State.EXCUSED,
        State.DEGRADED,
        State.DEGRADED,
        State.UNKNOWN,
        State.UP,
        State.ABSENT,
    ]


def test_measure_of_a_window() -> None:
    line = timeline(hit(1, 3, "1/2"), hit(2, 4, "3/10", "j"), gaps=(hours(8, 9),), excused=(hours(9, 10),))

    measure = line.measure(hours(0, 10))

    assert measure.downtime == HOUR + Fraction(3, 10) * HOUR
    assert (measure.outage, measure.partial) == (0, 3 * HOUR)
    assert (measure.observed, measure.unknown, measure.excused, measure.alive) == (8 * HOUR, HOUR, HOUR, 10 * HOUR)
    assert measure.by_owners == {("i",): HOUR, ("j",): Fraction(3, 10) * HOUR}
    assert measure.availability == 1 - Fraction(13, 80)


def test_equally_bad_incidents_own_the_moment_together() -> None:
    assert timeline(hit(0, 1, "1", "b"), hit(0, 1, "1", "a")).measure(hours(0, 1)).by_owners == {("a", "b"): HOUR}


def test_nothing_is_measured_in_an_empty_window() -> None:
    measure = timeline(hit(0, 1)).measure(hours(1, 1))

    assert measure == Measure()
    assert measure.availability is None


def test_an_empty_hit_is_none() -> None:
    assert timeline(hit(2, 1)).measure(hours(0, 3)).downtime == 0


def test_the_whole_is_as_bad_as_its_worst_part() -> None:
    shop = timeline(hit(1, 3, "1/2", "a"), gaps=(hours(5, 6),))
    api = timeline(hit(2, 4, "1", "b"), excused=(hours(6, 8),))
    young = timeline(life=hours(0, 7), excused=(hours(6, 7),))

    whole = any_down([shop, api, young])

    assert whole.measure(hours(0, 8)).by_owners == {("a",): HOUR // 2, ("b",): 2 * HOUR}
    assert states(whole, 7)[4:] == [State.UP, State.UNKNOWN, State.UP]


def test_the_whole_is_excused_or_absent_only_if_everybody_is() -> None:
    one = timeline(life=hours(0, 3), excused=(hours(0, 2),))
    other = timeline(life=hours(1, 2), excused=(hours(1, 2),))

    assert states(any_down([one, other]), 4) == [State.EXCUSED, State.EXCUSED, State.UP, State.ABSENT]
    assert states(any_down([]), 1) == [State.ABSENT]


@pytest.mark.parametrize(
    ("downtime", "observed", "text"),
    [
        (629, 28 * 86_400, "99.973 %"),
        (1, 28 * 86_400, "99.999 %"),
        (31_800, 728 * 86_400, "99.949 %"),
        (0, 5, "100 %"),
        (5, 5, "0.000 %"),
        (1, 2, "50.000 %"),
        (0, 0, None),
    ],
)
def test_percentages_are_floored(downtime: int, observed: int, text: str | None) -> None:
    assert percent_text(Fraction(downtime), observed) == text


@pytest.mark.parametrize("monday", [date(2026, 3, 23), date(2026, 10, 19), date(2028, 2, 28)])
def test_the_states_of_a_week_sum_to_the_whole_whatever_the_calendar_does(monday: date) -> None:
    week = week_of(monday, ZoneInfo("Europe/Berlin"))
    third = (week.end - week.start) / 7
    outage = Hit(Interval(week.end - third, week.end - third / 3), Fraction(1, 3), "i")
    line = service_timeline(
        Interval(week.start + timedelta(hours=1), FAR_FUTURE),
        (Interval(week.start + third, week.start + third + timedelta(hours=2)),),
        (Interval(week.start + 2 * third, week.start + 3 * third),),
        (outage,),
    )

    measure = line.measure(week)
    shares = [Fraction(length, week.length) for length in measure.lengths.values()]

    assert min(shares) >= 0
    assert sum(shares) == 1
    assert measure.availability is not None
    assert measure.availability + Fraction(measure.downtime, measure.observed) == 1


def test_a_timeline_has_one_segment_from_each_instant_on_at_which_something_changes() -> None:
    line = timeline(hit(1, 2), hit(1, 2, "1/2", "j"), gaps=(hours(2, 3),), excused=(hours(2, 3),))

    assert list(line.starts) == [FAR_PAST, *(hours(hour, hour).start for hour in (1, 2, 3))]
    assert [part for _, part in line.parts(hours(0, 2))] == [hours(0, 1), hours(1, 2)]


def test_time_outside_the_life_is_not_alive() -> None:
    measure = timeline(life=hours(1, 3)).measure(hours(0, 24))

    assert (measure.alive, measure.observed) == (2 * HOUR, 2 * HOUR)
