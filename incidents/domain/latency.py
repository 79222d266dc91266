"""Latencies in few numbers: a sketch that merges without loss and tells quantiles within two percent.

DDSketch (Masson, Rim, Lee: DDSketch, a fast and fully-mergeable quantile sketch with relative-error guarantees, VLDB
2019): bin i counts the values in (FLOOR * GAMMA^(i-1), FLOOR * GAMMA^i]. With GAMMA = (1 + a) / (1 - a) the middle told for a
bin lies within the share `a` of every value in it, so of every quantile of seconds between FLOOR and CEILING. Bins are
plain counts: sketches of any parts of the data add up to the sketch of the whole, in any order.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final

ACCURACY: Final = 0.02
GAMMA: Final = (1 + ACCURACY) / (1 - ACCURACY)
#: Seconds. What is quicker is told as FLOOR, what is slower as CEILING: 516 bins at most.
FLOOR: Final = 1e-4
CEILING: Final = 86_400.0
_LOG_GAMMA: Final = math.log(GAMMA)

Sketch = Mapping[int, int]
"""Counts by bin; none is zero."""


def sketch_of(seconds: Iterable[float]) -> Counter[int]:
    """The sketch of these latencies in seconds; negative ones count as FLOOR."""
    return Counter(bin_of(each) for each in seconds)


def bin_of(seconds: float) -> int:
    """The bin of one latency."""
    if seconds <= FLOOR:
        return 0
    return math.ceil(math.log(min(seconds, CEILING) / FLOOR) / _LOG_GAMMA)


def merged(sketches: Iterable[Sketch]) -> Counter[int]:
    """The sketch of all data together."""
    total: Counter[int] = Counter()
    for sketch in sketches:
        total.update(sketch)
    return total


def quantile(sketch: Sketch, share: float) -> float | None:
    """Seconds that `share` (0 to 1) of the latencies do not exceed; None for an empty sketch.

    Of n sorted values this is the one at place floor(share * (n - 1)), within ACCURACY.
    """
    total = sum(sketch.values())
    if not total:
        return None
    place = int(share * (total - 1))
    bins = sorted(sketch)
    reached = bisect_right(list(accumulate(sketch[each] for each in bins)), place)
    each = bins[reached]
    return FLOOR if each == 0 else FLOOR * 2 * GAMMA**each / (GAMMA + 1)


def packed(sketch: Sketch) -> bytes:
    """Pairs of (distance to the bin before, count) as base-128 numbers, least significant first: about 2 bytes a bin."""
    found = bytearray()
    last = 0
    for each in sorted(sketch):
        for number in (each - last, sketch[each]):
            rest = number
            while rest > 0x7F:
                found.append(rest & 0x7F | 0x80)
                rest >>= 7
            found.append(rest)
        last = each
    return bytes(found)


def unpacked(data: bytes) -> Counter[int]:
    """The sketch that was packed."""
    numbers: list[int] = []
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte <= 0x7F:
            numbers.append(number)
            number = shift = 0
    found: Counter[int] = Counter()
    place = 0
    for distance, count in zip(numbers[::2], numbers[1::2], strict=True):
        place += distance
        found[place] = count
    return found
