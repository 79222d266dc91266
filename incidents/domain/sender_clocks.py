"""What a sender's clock says, by ours.

A sender tells when it sent (`sent_at`); the difference to our receipt is by how far its clock is behind, plus the way. One
such value may be odd: an envelope that waited in a proxy, a host that just started. So the last few values of each host are
remembered, and where one is missing or stands apart from them, their median is taken. A clock that was really set anew is
followed once most of the remembered values say so.

The memory belongs to one worker and is not stored: it only bridges odd values, a worker that starts afresh believes the
value at hand, and what was decided stands in each event. A table would cost a write for every host and batch.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: A smaller difference is the way of a request, not a wrong clock.
TOLERATED: Final = timedelta(seconds=30)
#: An event older than this at its receipt was not stamped by a clock that can be trusted.
OLDEST: Final = timedelta(days=30)
REMEMBERED: Final = 9
ENOUGH: Final = 3
MOST_HOSTS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Reading:
    """An instant by our clock; `told` is what the sender said where that is another one."""

    at: datetime
    told: datetime | None = None


def drift(sent_at: datetime | None, received_at: datetime) -> timedelta:
    """How far the sender's clock was behind ours when it sent; zero where it does not tell or the difference is small."""
    if sent_at is None or abs(received_at - sent_at) <= TOLERATED:
        return timedelta()
    return received_at - sent_at


def reading(told: datetime, offset: timedelta, received_at: datetime) -> Reading:
    """The instant corrected by the offset: never after its receipt, and the receipt itself where it lies absurdly far back.

    A correction that is within the tolerance is none worth a mark.
    """
    try:
        at = told + offset
    except OverflowError:
        at = received_at
    if not received_at - OLDEST <= at <= received_at:
        at = received_at
    return Reading(at, None if abs(at - told) <= TOLERATED else told)


class HostClocks:
    """Recent differences by host; at most MOST_HOSTS of them, the ones not heard of for longest go first."""

    def __init__(self) -> None:
        self._recent: OrderedDict[Hashable, deque[timedelta]] = OrderedDict()

    def offset(self, host: Hashable, sent_at: datetime | None, received_at: datetime) -> timedelta:
        """By how far this host's clock is behind ours, and remembers what it says. An empty host has no memory."""
        own = drift(sent_at, received_at)
        if not host:
            return own
        known = self._recent.get(host)
        if sent_at is not None:
            if known is None:
                known = self._recent[host] = deque(maxlen=REMEMBERED)
                if len(self._recent) > MOST_HOSTS:
                    self._recent.popitem(last=False)
            self._recent.move_to_end(host)
            known.append(own)
        if known is None or len(known) < ENOUGH:
            return own
        usual = sorted(known)[len(known) // 2]
        return own if sent_at is not None and abs(own - usual) <= TOLERATED else usual
