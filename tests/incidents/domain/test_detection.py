from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.domain.detection import (
    Bucket,
    Probe,
    Rule,
    Surroundings,
    median_gap,
    outages,
    poisson_tail,
    quiet_after,
    runs,
    spans,
)
from incidents.domain.evidence import DAY, HOUR, MINUTE, Outage
from incidents.domain.load import flat

RULE = Rule()
OLD = Surroundings(since=-30 * DAY, changed_near=lambda _: False, load=flat)


def at(*minutes: float) -> list[Bucket]:
    """Single events at these minutes."""
    return [Bucket(m * MINUTE, m * MINUTE) for m in minutes]


def found(buckets: list[Bucket], around: Surroundings = OLD) -> list[tuple[float, float, int, str]]:
    """(start, end) in minutes, count and reason of the episodes."""
    return [(s.start / MINUTE, s.end / MINUTE, s.count, s.reason) for s in spans(buckets, around, RULE)]


def test_four_events_in_three_hours_make_an_episode_of_a_new_error() -> None:
    assert found(at(0, 60, 120, 179)) == [(0, 179, 4, "novel")]


def test_the_rule_is_met_by_the_fourth_event() -> None:
    (span,) = spans(at(0, 1, 2, 3, 9), OLD, RULE)

    assert (span.met_at, span.end) == (3 * MINUTE, 9 * MINUTE)


@pytest.mark.parametrize("minutes", [(0, 1, 2), (0, 90, 179, 290), ()])
def test_fewer_events_make_none(minutes: tuple[float, ...]) -> None:
    assert found(at(*minutes)) == []


def test_a_bucket_counts_all_its_events() -> None:
    assert found([Bucket(0, 200, 9)]) == [(0, 200 / 60, 9, "novel")]


def test_a_pause_longer_than_the_window_ends_an_episode_and_what_comes_back_has_regressed() -> None:
    assert found(at(0, 1, 2, 3, 600, 601, 602, 603)) == [(0, 3, 4, "novel"), (600, 603, 4, "regressed")]


def test_what_comes_back_again_and_again_is_everyday_noise() -> None:
    bunches = [m for k in range(5) for m in (600 * k, 600 * k + 1, 600 * k + 2, 600 * k + 3)]

    assert [reason for *_, reason in found(at(*bunches))] == ["novel", "regressed"]


def test_everyday_noise_that_was_resolved_and_comes_back_has_regressed() -> None:
    noise = at(*(400 * k for k in range(6)))
    again = at(*(3000 + k for k in range(5)))
    around = Surroundings(OLD.since, OLD.changed_near, OLD.load, resolved=(2500 * MINUTE,))

    assert found(noise + again) == []
    assert found(noise + again, around) == [(3000, 3004, 5, "regressed")]


def test_a_known_error_must_burst_over_its_history() -> None:
    noise = at(*(400 * k for k in range(10)))
    burst = at(*(4000 + k / 2 for k in range(30)))
    few = at(*(4000 + k / 2 for k in range(5)))

    assert found(noise + few) == []
    assert [(round(a), n, reason) for a, _, n, reason in found(noise + burst)] == [(4000, 30, "burst")]


def test_a_burst_no_larger_than_earlier_bunches_is_nothing() -> None:
    bunches = [m for k in range(8) for m in (700 * k + j / 4 for j in range(10))]

    assert [reason for *_, reason in found(at(*bunches))] == ["novel", "regressed"]


def test_a_burst_that_traffic_explains_is_nothing() -> None:
    noise = at(*(200 * k for k in range(20)))
    burst = at(*(4000 + 6 * k for k in range(10)))

    def load(start: float, end: float) -> float:
        return end - start + 60 * max(0.0, end - max(start, 3990 * MINUTE))

    busy = Surroundings(OLD.since, OLD.changed_near, load)

    assert [reason for *_, reason in found(noise + burst)] == ["burst"]
    assert found(noise + burst, busy) == []


def test_a_burst_ends_when_its_rate_has_fallen() -> None:
    noise = at(*(400 * k for k in range(10)))
    burst = at(*(4000 + k / 2 for k in range(30)))
    after = at(4100, 4170, 4230)

    ((_, end, count, reason),) = found(noise + burst + after)

    assert (round(end, 1), count, reason) == (4014.5, 30, "burst")


def test_on_the_first_day_newness_needs_a_change_or_a_crowd() -> None:
    young = Surroundings(since=0.0, changed_near=lambda _: False, load=flat)
    changed = Surroundings(since=0.0, changed_near=lambda _: True, load=flat)
    slow, quick, crowd = at(0, 40, 80, 120), at(0, 5, 10, 15), at(*(k / 10 for k in range(12)))

    assert found(slow, young) == found(quick, young) == found(slow, changed) == []
    assert found(quick, changed) == [(0, 15, 4, "novel")]
    assert [n for _, _, n, _ in found(crowd, young)] == [12]


def test_on_the_first_day_what_comes_long_after_the_change_is_no_news() -> None:
    changed = Surroundings(since=0.0, changed_near=lambda _: True, load=flat)

    assert found(at(60, 240, 241, 242, 243, 244), changed) == []
    assert found(at(60, 70, 80, 89), changed) == [(60, 89, 4, "novel")]


def test_median_gap_counts_pauses_where_events_come_in_bunches() -> None:
    assert median_gap(at(0, 10, 20, 30)) == 10 * MINUTE
    assert median_gap(at(0, 0.1, 0.2, 60, 60.1, 60.2, 120, 120.1, 120.2)) == pytest.approx(59.8 * MINUTE)
    assert median_gap(at(0)) == median_gap([]) == 0.0
    assert median_gap([Bucket(0, 60, 9), Bucket(100, 100)]) == 0.0


def test_quiet_is_a_quarter_of_an_hour_or_four_gaps() -> None:
    assert (quiet_after(0, RULE), quiet_after(10 * MINUTE, RULE)) == (15 * MINUTE, 40 * MINUTE)


def test_runs_split_at_pauses() -> None:
    assert [len(run) for run in runs(at(0, 1, 20, 21), 10 * MINUTE)] == [2, 2]


@pytest.mark.parametrize(("count", "mean"), [(0, 3.0), (3, 3.0), (8, 0.5), (40, 20.0), (600, 580.0)])
def test_poisson_tail_agrees_with_the_sum(count: int, mean: float) -> None:
    lower, term = 0.0, math.exp(-mean)
    for k in range(count):
        lower += term
        term *= mean / (k + 1)

    assert poisson_tail(count, mean) == pytest.approx(1 - lower, abs=0.01)


def test_poisson_tail_of_nothing() -> None:
    assert (poisson_tail(0, 0), poisson_tail(1, 0)) == (1.0, 0.0)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0, 20_000), max_size=60), st.randoms())
def test_episodes_do_not_depend_on_anything_but_the_events(minutes: list[float], random: object) -> None:
    buckets = sorted(at(*minutes), key=lambda b: b.first)
    spans_found = spans(buckets, OLD, RULE)

    assert all(a.end < b.start for a, b in itertools.pairwise(spans_found))
    assert sum(s.count for s in spans_found) <= len(buckets)
    assert all(s.count >= RULE.events and s.start <= s.met_at <= s.end for s in spans_found)


def probes(pattern: str, source: str = "m") -> list[Probe]:
    """One probe a minute: `.` good, `x` failed."""
    return [Probe(n * MINUTE, mark == ".", source) for n, mark in enumerate(pattern)]


def test_two_failed_checks_in_a_row_are_an_outage() -> None:
    assert outages("shop", probes(".xx.."), RULE) == [Outage("shop", 60, 180, 120, 120)]
    assert outages("shop", probes(".x.x."), RULE) == []
    assert outages("shop", probes(".xxx"), RULE) == [Outage("shop", 60, None, 120, 180)]


def test_monitors_are_looked_at_one_by_one() -> None:
    both = sorted(probes(".x..", "a") + probes("..x.", "b"), key=lambda p: (p.at, p.source))

    assert outages("shop", both, RULE) == []


def test_a_load_measured_by_the_hour_is_used() -> None:
    assert flat(0, HOUR) == HOUR
