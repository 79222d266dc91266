"""How busy a service was: its traffic counts as a running sum, in units of its average second."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from incidents.domain.evidence import TrafficPoint


def flat(start: float, end: float) -> float:
    """Load without any traffic counts: every second counts alike."""
    return end - start


def load_of(points: Sequence[TrafficPoint]) -> Callable[[float, float], float]:
    """``load(a, b)``: traffic in [a, b) divided by the mean traffic of a second. Time without counts counts as average."""
    sums: dict[tuple[float, float], int] = {}
    for point in points:
        sums[point.at, point.seconds] = sums.get((point.at, point.seconds), 0) + point.count
    rows = [(at, at + seconds, count) for (at, seconds), count in sorted(sums.items()) if seconds > 0]
    covered = sum(end - at for at, end, _ in rows)
    total = sum(count for _, _, count in rows)
    if not rows or total <= 0:
        return flat
    mean = total / covered
    marks: list[tuple[float, float, float]] = []  # (instant, load so far, load per second from here on)
    at, so_far = rows[0][0], 0.0
    for start, end, count in rows:
        if start > at:
            marks.append((at, so_far, 1.0))
            so_far += start - at
        if end <= max(at, start):
            continue
        begin = max(at, start)
        rate = count / (end - start) / mean
        marks.append((begin, so_far, rate))
        so_far += rate * (end - begin)
        at = end
    marks.append((at, so_far, 1.0))
    instants = [instant for instant, _, _ in marks]

    def until(when: float) -> float:
        k = bisect_right(instants, when) - 1
        if k < 0:
            return when - instants[0]
        instant, value, rate = marks[k]
        return value + rate * (when - instant)

    return lambda a, b: until(b) - until(a)
