"""How much one project may send while others send too: a bucket of tokens, and a bound that leaves room for newcomers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` in the long run, `burst` at once. A rate of 0 means no limit."""

    per_second: float
    burst: float

    def shared_by(self, processes: int) -> Rate:
        """The part of one of several processes that do not talk to each other."""
        return Rate(self.per_second / processes, max(1.0, self.burst / processes))


@dataclass(slots=True)
class Bucket:
    """Tokens left at an instant of a clock that only goes forward, in seconds."""

    tokens: float
    at: float

    def take(self, count: int, *, rate: Rate, now: float) -> bool:
        """Takes `count` tokens if there are that many, and says whether it did.

        More than the burst is let through when the bucket is full, and leaves a debt: a sender of large batches is
        slowed down, not shut out.
        """
        if not rate.per_second:
            return True
        self.tokens = min(rate.burst, self.tokens + max(0.0, now - self.at) * rate.per_second)
        self.at = now
        if self.tokens < min(count, rate.burst):
            return False
        self.tokens -= count
        return True


def has_room(*, own: int, total: int, most: int) -> bool:
    """Whether a project that holds `own` of the `total` in a store for `most` may add to it.

    Nobody may hold more than what is left free (Choudhury and Hahne, Dynamic queue length thresholds, 1998, with a
    factor of one). So one flood ends at a half, two at a third each, and a newcomer always finds room.
    """
    return total < most and own <= most - total


def rate_limits(*, seconds: int, categories: tuple[str, ...] = (), reason: str) -> str:
    """The value of X-Sentry-Rate-Limits. No category stands for all of them."""
    return f"{seconds}:{';'.join(categories)}:organization:{reason}"
