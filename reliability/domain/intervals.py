"""Sets of half-open intervals [start, end) of UTC instants."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from deploys.domain.instants import microseconds


@dataclass(frozen=True, slots=True)
class Interval:
    """[start, end); empty where end does not lie after start."""

    start: datetime
    end: datetime

    @property
    def is_empty(self) -> bool:
        """Holds no instant."""
        return self.end <= self.start

    @property
    def length(self) -> int:
        """Microseconds, 0 for an empty interval."""
        return max(0, microseconds(self.end - self.start))

    def holds(self, at: datetime) -> bool:
        """The start belongs to the interval, the end does not."""
        return self.start <= at < self.end

    def clipped(self, to: "Interval") -> "Interval":
        """The part inside the other; may be empty."""
        return Interval(max(self.start, to.start), min(self.end, to.end))


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same instants as disjoint, non-touching, non-empty intervals in order."""
    merged: list[Interval] = []
    for interval in sorted((i for i in intervals if not i.is_empty), key=lambda i: i.start):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return tuple(merged)
