"""When an error or a failing check is worth an incident, and from when to when: counts in, episodes out.

Pure and without memory: the episodes of an issue are a function of its events, whatever order they came in.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from incidents.domain.evidence import DAY, HOUR, MINUTE, Outage


@dataclass(frozen=True, slots=True)
class Rule:
    """When an incident opens. Defaults are the product's; a team's policy may replace them."""

    events: int = 4
    window: float = 3 * HOUR
    failed_checks: int = 2
    quiet_floor: float = 15 * MINUTE
    quiet_gaps: float = 4.0
    reopen: float = 60 * MINUTE
    warm_up: float = DAY
    burst_odds: float = 1e-6
    burst_factor: float = 3.0
    burst_events: int = 8
    change_before: float = 30 * MINUTE


@dataclass(frozen=True, slots=True)
class Bucket:
    """``count`` events between ``first`` and ``last`` (inclusive; equal for a single event)."""

    first: float
    last: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """A found episode, still without its events: [start, end] by its events' times; ``met_at`` when the rule was met."""

    start: float
    end: float
    count: int
    met_at: float
    reason: str
    gap: float
    earlier: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What detection asks about the service.

    ``since`` is when the service's first evidence came; ``changed_near(at)`` says whether something that can hurt it
    was changed shortly before; ``load(a, b)`` is its traffic in [a, b) in units of an average second's traffic (so
    b − a without counts); ``resolved`` are the instants at which a person declared the issue resolved.
    """

    since: float
    changed_near: Callable[[float], bool]
    load: Callable[[float, float], float]
    resolved: tuple[float, ...] = ()


def quiet_after(gap: float, rule: Rule) -> float:
    """Seconds without an event after which the impact is over: a quarter of an hour, or four median gaps."""
    return max(rule.quiet_floor, rule.quiet_gaps * gap)


def median_gap(buckets: Sequence[Bucket], rest: float = 2 * MINUTE) -> float:
    """Median seconds between occurrences. 0 with fewer than two events.

    A job that fails in a row every hour makes bunches: where most events come in bunches, an occurrence is a bunch, and
    the pauses between them count (those longer than ``rest``), not the seconds inside.
    """
    pauses = [
        after.first - before.last for before, after in itertools.pairwise(buckets) if after.first - before.last > rest
    ]
    if len(pauses) >= 2 and sum(b.count for b in buckets) >= 2 * (len(pauses) + 1):
        return sorted(pauses)[len(pauses) // 2]
    gaps = sorted(after.first - before.last for before, after in itertools.pairwise(buckets))
    within = sum(b.count - 1 for b in buckets)
    middle = (len(gaps) + within) // 2
    return 0.0 if not gaps or middle < within else gaps[middle - within]


def runs(buckets: Sequence[Bucket], pause: float) -> list[list[Bucket]]:
    """Split sorted buckets where the pause between them is longer than ``pause`` seconds."""
    found: list[list[Bucket]] = []
    for bucket in buckets:
        if found and bucket.first - found[-1][-1].last <= pause:
            found[-1].append(bucket)
        else:
            found.append([bucket])
    return found


def spans(buckets: Sequence[Bucket], around: Surroundings, rule: Rule) -> list[Span]:
    """The episodes of one issue, in order. ``buckets`` are its production events, sorted by time.

    An error that comes back once after an episode has regressed. One that comes back again and again is everyday noise
    of its service, until a person declares it resolved: then only a burst over its own history counts.
    """
    found: list[Span] = []
    known: list[list[Bucket]] = []
    earlier = found_before = 0
    for run in runs(buckets, rule.window):
        count = sum(b.count for b in run)
        resolved = any(known and known[-1][-1].last < at <= run[0].first for at in around.resolved)
        if resolved:
            known = []
            found_before = len(found)
        if len(found) - found_before < 2 and not _is_known(known):
            span = _novel(run, around, rule, earlier, "regressed" if resolved or found else "novel")
        else:
            span = _burst(
                [b for r in known for b in r] or [b for b in buckets if b.last < run[0].first], run, around, rule
            )
        if span is None:
            known.append(run)
        else:
            found.append(span)
            rest = [b for b in run if b.last < span.start or b.first > span.end]
            if rest:
                known.append(rest)
        earlier += count
    return found


def _is_known(before: Sequence[Sequence[Bucket]]) -> bool:
    """Does the issue belong to the service's everyday noise: seen on two occasions, or three times, without an episode?"""
    return len(before) >= 2 or sum(b.count for run in before for b in run) >= 3


def _novel(run: Sequence[Bucket], around: Surroundings, rule: Rule, earlier: int, reason: str) -> Span | None:
    met = _met(run, rule.events, rule.window)
    start = run[0].first
    if met is not None and start < around.since + rule.warm_up:
        met = _met_in_warm_up(run, around, rule)
    if met is None:
        return None
    return Span(
        start=start, end=run[-1].last, count=sum(b.count for b in run), met_at=met, reason=reason,
        gap=median_gap(run), earlier=earlier,
    )  # fmt: skip


def _met_in_warm_up(run: Sequence[Bucket], around: Surroundings, rule: Rule) -> float | None:
    """On a service's first day every error is new, so being new says nothing: it must also follow a change closely, and
    come soon enough, or come in a crowd."""
    first = [bucket for bucket in run if bucket.last <= run[0].first + rule.change_before]
    soon = _met(first, rule.events, rule.change_before) if around.changed_near(run[0].first) else None
    crowd = _met(run, max(10, 2 * rule.events), 2 * MINUTE)
    return min((at for at in (soon, crowd) if at is not None), default=None)


def _met(run: Sequence[Bucket], events: int, window: float) -> float | None:
    """When ``events`` events had come within ``window`` seconds, or None."""
    left, count = 0, 0
    for bucket in run:
        count += bucket.count
        while run[left].first < bucket.last - window:
            count -= run[left].count
            left += 1
        if count >= events:
            return bucket.last
    return None


def poisson_tail(count: int, mean: float) -> float:
    """P(X >= count) for a Poisson variable; the sum of its lower terms taken from 1 (exact enough above 1e-12)."""
    if mean <= 0:
        return 0.0 if count > 0 else 1.0
    if mean > 500:
        z = (count - 0.5 - mean) / math.sqrt(mean)
        return 0.5 * math.erfc(z / math.sqrt(2))
    term = math.exp(-mean + count * math.log(mean) - math.lgamma(count + 1))
    total, k = 0.0, count
    while term > total * 1e-12 and k < count + 2000:
        total += term
        k += 1
        term *= mean / k
    return min(1.0, total)


def _burst(before: Sequence[Bucket], run: Sequence[Bucket], around: Surroundings, rule: Rule) -> Span | None:
    """A known error that comes far more often than its own history and the service's traffic explain.

    Assumes a Poisson rate in proportion to traffic; since many errors come in bunches, a burst must also be
    ``burst_factor`` times the largest bunch ever seen in a window of that length.
    """
    every = [*before, *run]
    origin = before[0].first
    for bucket in run:
        for window in (15 * MINUTE, HOUR, 3 * HOUR):
            begin = bucket.last - window
            count = _count(every, begin, bucket.last)
            if count < rule.burst_events or begin - origin < DAY:
                continue
            past = _count(every, origin, begin)
            load = around.load(origin, begin)
            mean = (past + 1) / max(load, DAY / 4) * around.load(begin, bucket.last)
            if count < rule.burst_factor * mean or poisson_tail(count, mean) > rule.burst_odds:
                continue
            if count < rule.burst_factor * _largest(every, window, begin):
                continue
            return _burst_span(every, begin, bucket.last, around, rule, (past + 1) / max(load, DAY / 4))
    return None


def _burst_span(
    every: Sequence[Bucket], begin: float, met: float, around: Surroundings, rule: Rule, rate: float
) -> Span:
    """The burst from its first event on, until its rate has fallen to twice the usual one."""
    firsts = [b.first for b in every]
    low = bisect_left(firsts, begin)
    high = bisect_right(firsts, met)
    gap = median_gap(every[low:high])
    while high < len(every):
        step = max(quiet_after(gap, rule), 15 * MINUTE)
        ahead = _count(every, firsts[high - 1], firsts[high - 1] + step)
        if every[high].first - every[high - 1].last > step or ahead < 2 * rate * around.load(
            firsts[high - 1], firsts[high - 1] + step
        ):
            break
        high += 1
    part = every[low:high]
    return Span(
        start=part[0].first, end=part[-1].last, count=sum(b.count for b in part), met_at=met, reason="burst",
        gap=median_gap(part), earlier=sum(b.count for b in every[:low]),
    )  # fmt: skip


def _count(buckets: Sequence[Bucket], begin: float, end: float) -> int:
    """Events with first in (begin, end]; buckets are taken whole."""
    low = bisect_right(buckets, begin, key=lambda b: b.first)
    high = bisect_right(buckets, end, key=lambda b: b.first)
    return sum(b.count for b in buckets[low:high])


def _largest(buckets: Sequence[Bucket], window: float, until: float) -> int:
    """The most events in any window of this length that ended before ``until``."""
    best = count = left = 0
    for bucket in itertools.takewhile(lambda b: b.last <= until, buckets):
        count += bucket.count
        while buckets[left].first < bucket.last - window:
            count -= buckets[left].count
            left += 1
        best = max(best, count)
    return best


@dataclass(frozen=True, slots=True)
class Probe:
    """One check of a service: its instant, whether it was good, and which monitor asked."""

    at: float
    ok: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class JobRule:
    """How many runs of a job must fail in a row, and how many must go well before it has recovered."""

    name: str
    failures: int = 1
    recoveries: int = 1


def outages(
    service: str, probes: Sequence[Probe], rule: Rule, jobs: Mapping[str, JobRule] = MappingProxyType({})
) -> list[Outage]:
    """Runs of consecutive failed checks of one source that are long enough. ``probes`` sorted by time.

    Monitors need ``failed_checks`` and are back with the first good check; ``jobs`` tells by source which probes are runs
    of a job and what it asks for. An outage ends at the first good check of those that prove the recovery.
    """
    by_source: dict[str, list[Probe]] = {}
    for probe in probes:
        by_source.setdefault(probe.source, []).append(probe)
    found: list[Outage] = []
    for source, row in by_source.items():
        found += _outages_of(service, row, jobs.get(source) or JobRule("", rule.failed_checks))
    return sorted(found, key=lambda o: (o.start, o.met_at))


def _outages_of(service: str, probes: Sequence[Probe], rule: JobRule) -> list[Outage]:
    found: list[Outage] = []
    failed: list[Probe] = []
    good: list[Probe] = []
    for probe in probes:
        if not probe.ok:
            if good and len(failed) < rule.failures:
                failed = []
            failed.append(probe)
            good = []
            continue
        good.append(probe)
        if len(failed) >= rule.failures and len(good) >= rule.recoveries:
            found.append(_outage(service, failed, good[0].at, rule))
            failed, good = [], []
    if len(failed) >= rule.failures:
        found.append(_outage(service, failed, None, rule))
    return found


def _outage(service: str, failed: Sequence[Probe], end: float | None, rule: JobRule) -> Outage:
    return Outage(service, failed[0].at, end, failed[rule.failures - 1].at, failed[-1].at, rule.name)
