"""The clocks of an incident and what people may set them to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

#: A clock typed to the minute, or set on a machine that runs a little ahead, is not "in the future".
TOLERANCE = timedelta(minutes=1)


class Clock(StrEnum):
    """The six instants of an incident, in the order they come."""

    STARTED = "started_at"
    DETECTED = "detected_at"
    ACKNOWLEDGED = "acknowledged_at"
    MITIGATED = "mitigated_at"
    RESTORED = "restored_at"
    CLOSED = "closed_at"

    @property
    def words(self) -> str:
        """What pages call it."""
        return "impact began" if self is Clock.STARTED else self.value.removesuffix("_at")

    @property
    def question(self) -> str:
        """How a page asks for it."""
        return "When did the impact begin?" if self is Clock.STARTED else f"When was it {self.words}?"


class ClockRefused(ValueError):
    """A clock that cannot stand there. `clock` is the one to correct; the message says why."""

    def __init__(self, clock: Clock, message: str) -> None:
        super().__init__(message)
        self.clock = clock


def checked_clocks(
    clocks: Mapping[Clock, datetime | None], *, clock: Clock, at: datetime | None, now: datetime
) -> dict[Clock, datetime | None]:
    """All clocks after `clock` is set to `at` (None: withdrawn). Raises ClockRefused where they would not fit.

    None lies in the future; none lies before the start (the detection where the start is unknown); what is mitigated
    was mitigated no later than restored; what is closed was restored before.
    """
    after = {**clocks, clock: at}
    if at is not None and at > now + TOLERANCE:
        raise ClockRefused(clock, "This time has not come yet.")
    if after.get(Clock.STARTED) is None and after.get(Clock.DETECTED) is None:
        raise ClockRefused(clock, "An incident needs a start: keep when the impact began, or when it was detected.")
    _check_start(after, clock)
    mitigated, restored, closed = after.get(Clock.MITIGATED), after.get(Clock.RESTORED), after.get(Clock.CLOSED)
    if mitigated is not None and restored is not None and mitigated > restored:
        raise ClockRefused(clock, "Mitigated cannot come after restored.")
    if closed is not None and restored is None:
        raise ClockRefused(clock, "An incident is closed after it is restored: say first when that was.")
    if closed is not None and restored is not None and closed < restored:
        raise ClockRefused(clock, "Closed cannot come before restored.")
    return after


def _check_start(clocks: Mapping[Clock, datetime | None], clock: Clock) -> None:
    began = clocks.get(Clock.STARTED) or clocks.get(Clock.DETECTED)
    for each, at in clocks.items():
        if at is not None and began is not None and at < began:
            if clock is Clock.STARTED:
                raise ClockRefused(clock, f"The impact cannot begin after it was {each.words}.")
            raise ClockRefused(clock, f"{each.words.capitalize()} cannot come before the impact began.")
