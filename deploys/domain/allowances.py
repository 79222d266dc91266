"""How often somebody may ask: so many times a second, twice as many at once."""

from __future__ import annotations

import math
from typing import Final

#: Senders remembered at a time; who has been quiet longest is forgotten first, and begins anew with a full allowance.
MOST: Final = 10_000


class Allowances:
    """A bucket for each sender, which fills at `rate` a second and holds two seconds' worth, one at least. A rate of 0 limits nobody."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._full = max(2 * rate, 1.0)
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, sender: str, at: float) -> int:
        """0 where the sender may ask at this instant (any clock's seconds); else after how many whole seconds it may."""
        if self._rate <= 0:
            return 0
        left, last = self._left.pop(sender, (self._full, at))
        left = min(self._full, left + max(at - last, 0.0) * self._rate)
        if len(self._left) >= MOST:
            del self._left[next(iter(self._left))]
        is_free = left >= 1
        self._left[sender] = (left - 1 if is_free else left, at)
        return 0 if is_free else max(1, math.ceil((1 - left) / self._rate))
