"""Hours of the day in which a channel is not to make a noise, on the clock of a place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` to `ends`, [begins, ends) on the clock of `zone`; over midnight where `ends` comes first."""

    begins: time
    ends: time
    zone: ZoneInfo

    def quiet_until(self, at: datetime) -> datetime | None:
        """When the quiet that reigns at this instant ends, in UTC; None where it does not.

        Where the clock is put forward over the end, that is the instant it would have been; where it is put back, the
        first of the two that is still to come.
        """
        local = at.astimezone(self.zone)
        shown = local.time()
        if self.begins == self.ends:
            return None
        if self.begins < self.ends:
            is_quiet = self.begins <= shown < self.ends
        else:
            is_quiet = shown >= self.begins or shown < self.ends
        if not is_quiet:
            return None
        day = local.date() + timedelta(days=1 if shown >= self.ends else 0)
        ends_at = datetime.combine(day, self.ends, self.zone)
        first, second = ends_at.astimezone(UTC), ends_at.replace(fold=1).astimezone(UTC)
        return first if first > at.astimezone(UTC) else second
