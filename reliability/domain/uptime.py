"""What the time of a service consists of.

At every instant exactly one state holds, tested in the order of State. A timeline is that for all of time, as
segments; availability is measured on a part of it. No percentage is ever averaged: services combine pointwise.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from deploys.domain.instants import FAR_FUTURE, FAR_PAST
from reliability.domain.intervals import Interval, union


class State(StrEnum):
    """Absent: not born or retired. Excused: inside a slot that excuses. Unknown: nobody watched."""

    ABSENT = "absent"
    EXCUSED = "excused"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Hit:
    """An incident takes degradation (0 exclusive to 1) from a service during the interval."""

    interval: Interval
    degradation: Fraction
    incident_id: str


@dataclass(frozen=True, slots=True)
class Segment:
    """From start to the start of the next one. owners: the incidents at the maximum, in order of id."""

    start: datetime
    state: State
    loss: Fraction = Fraction(0)
    owners: tuple[str, ...] = ()


@dataclass(slots=True)
class Measure:
    """Microseconds of a stretch of time. downtime is weighted by the degradation; by_owners divides it."""

    lengths: dict[State, int] = field(default_factory=lambda: dict.fromkeys(State, 0))
    downtime: Fraction = Fraction(0)
    outage: int = 0
    partial: int = 0
    by_owners: dict[tuple[str, ...], Fraction] = field(default_factory=dict)

    @property
    def alive(self) -> int:
        """Time in the life of the service."""
        return sum(self.lengths.values()) - self.lengths[State.ABSENT]

    @property
    def excused(self) -> int:
        """Time that counts in nothing."""
        return self.lengths[State.EXCUSED]

    @property
    def unknown(self) -> int:
        """Time in which nobody watched and no outage is known."""
        return self.lengths[State.UNKNOWN]

    @property
    def observed(self) -> int:
        """The denominator of availability."""
        return self.lengths[State.UP] + self.lengths[State.DEGRADED]

    @property
    def availability(self) -> Fraction | None:
        """1 - downtime / observed; None where nothing was observed."""
        return 1 - self.downtime / self.observed if self.observed else None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Segments in order; the first starts at FAR_PAST, the last lasts for ever."""

    segments: Sequence[Segment]
    starts: Sequence[datetime]

    def parts(self, window: Interval) -> Iterable[tuple[Segment, Interval]]:
        """The segments that touch the window, each with its part inside."""
        if window.is_empty:
            return
        for index in range(bisect_right(self.starts, window.start) - 1, len(self.segments)):
            start = max(self.starts[index], window.start)
            if start >= window.end:
                return
            end = self.starts[index + 1] if index + 1 < len(self.starts) else FAR_FUTURE
            yield self.segments[index], Interval(start, min(end, window.end))

    def measure(self, window: Interval) -> Measure:
        """Sums over the window; all zero for an empty one."""
        measure = Measure()
        for segment, part in self.parts(window):
            measure.lengths[segment.state] += part.length
            if segment.loss:
                lost = segment.loss * part.length
                measure.downtime += lost
                measure.by_owners[segment.owners] = measure.by_owners.get(segment.owners, Fraction(0)) + lost
                if segment.loss == 1:
                    measure.outage += part.length
                else:
                    measure.partial += part.length
        return measure


def timeline_of(segments: Iterable[Segment]) -> Timeline:
    """A timeline from segments in order."""
    ordered = list(segments)
    return Timeline(ordered, [segment.start for segment in ordered])


def service_timeline(
    life: Interval, excused: Iterable[Interval], gaps: Iterable[Interval], hits: Iterable[Hit]
) -> Timeline:
    """Excused beats outage, outage beats gap, gap beats up; of several incidents the worst counts, never their sum."""
    spans: list[tuple[Interval, str, Hit | None]] = [(part, "life", None) for part in union([life])]
    spans += [(slot, "excused", None) for slot in union(excused)]
    spans += [(gap, "gap", None) for gap in union(gaps)]
    spans += [(hit.interval, "hit", hit) for hit in hits if not hit.interval.is_empty]
    edges = [(span.start, name, 1, hit) for span, name, hit in spans]
    edges += [(span.end, name, -1, hit) for span, name, hit in spans]
    edges.append((FAR_PAST, "hit", 0, None))
    edges.sort(key=lambda edge: edge[0])
    inside = {"life": 0, "excused": 0, "gap": 0, "hit": 0}
    active: list[Hit] = []
    segments: list[Segment] = []
    for index, (at, name, step, hit) in enumerate(edges):
        inside[name] += step
        if hit is not None and step > 0:
            active.append(hit)
        elif hit is not None:
            active.remove(hit)
        if at < FAR_FUTURE and (index + 1 == len(edges) or edges[index + 1][0] > at):
            segments.append(_segment(at, inside, active))
    return timeline_of(segments)


def _segment(at: datetime, inside: Mapping[str, int], active: Sequence[Hit]) -> Segment:
    if not inside["life"]:
        return Segment(at, State.ABSENT)
    if inside["excused"]:
        return Segment(at, State.EXCUSED)
    if active:
        worst = max(hit.degradation for hit in active)
        owners = {hit.incident_id for hit in active if hit.degradation == worst}
        return Segment(at, State.DEGRADED, worst, tuple(sorted(owners)))
    return Segment(at, State.UNKNOWN if inside["gap"] else State.UP)


def any_down(timelines: Sequence[Timeline]) -> Timeline:
    """The whole of several services: as bad as the worst of those that are alive and not excused.

    With nobody down, one unwatched service makes the whole unknown. All alive ones excused: excused. None alive:
    absent.
    """
    changes = sorted(
        ((segment.start, index, segment) for index, line in enumerate(timelines) for segment in line.segments),
        key=lambda change: change[:2],
    )
    counts = dict.fromkeys(State, 0)
    present: dict[int, Segment] = {}
    degraded: dict[int, Segment] = {}
    whole: list[Segment] = [Segment(FAR_PAST, State.ABSENT)]
    for start, index, segment in changes:
        past = present.get(index)
        if past is not None:
            counts[past.state] -= 1
            degraded.pop(index, None)
        present[index] = segment
        counts[segment.state] += 1
        if segment.state is State.DEGRADED:
            degraded[index] = segment
        if whole[-1].start == start:
            whole.pop()
        whole.append(_worst(start, counts, degraded.values()))
    return timeline_of(whole)


def _worst(at: datetime, counts: Mapping[State, int], degraded: Iterable[Segment]) -> Segment:
    worst = max((segment.loss for segment in degraded), default=Fraction(0))
    if worst:
        owners = {owner for segment in degraded if segment.loss == worst for owner in segment.owners}
        return Segment(at, State.DEGRADED, worst, tuple(sorted(owners)))
    if counts[State.UNKNOWN]:
        return Segment(at, State.UNKNOWN)
    if counts[State.UP]:
        return Segment(at, State.UP)
    return Segment(at, State.EXCUSED if counts[State.EXCUSED] else State.ABSENT)


def percent_text(downtime: Fraction, observed: Fraction | int) -> str | None:
    """Availability as people read it: floored to three decimals, and 100 % only for no downtime at all."""
    if not observed:
        return None
    if not downtime:
        return "100 %"
    thousandths = (1 - downtime / observed) * 100_000 // 1
    return f"{thousandths // 1000}.{thousandths % 1000:03} %"
