"""What becomes of an error budget if it goes on being spent as so far: one fixed rule for page, mail and PDF.

The pace is what was spent divided by the time from the beginning of the objective's period to the evaluation. The budget ends
where that pace reaches it, if that comes

- before the end of a calendar period, or
- before a rolling window has passed once more: by then all that sets the pace has left the window.

Else it lasts. Budgets of requests are not projected: how many will come is not known. Too little data says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from deploys.domain.instants import optional_instant, parse_instant
from reliability.domain.verdicts import unit_of

NEAR = timedelta(days=6)
"""Within this a day is named by its weekday."""


class Fate(StrEnum):
    """What becomes of it."""

    SPENT = "spent"
    ENDS = "ends"
    LASTS = "lasts"
    NOT_PROJECTED = "not projected"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Outlook:
    """The fate, and the instant of the end where there is one: projected, or of a spent calendar budget the real one."""

    fate: Fate
    at: datetime | None
    evaluated_at: datetime
    window: str

    def words(self, zone: ZoneInfo) -> str:
        """`at this pace: Thursday 14:00`, `lasts the window`, `spent since 7 April 10:06`; times by the clocks of the zone."""
        if self.fate is Fate.ENDS and self.at is not None:
            return f"at this pace: {_when(self.at, self.evaluated_at, zone)}"
        if self.fate is Fate.SPENT:
            return f"spent since {_when(self.at, self.evaluated_at, zone)}" if self.at else "spent"
        if self.fate is Fate.LASTS:
            return f"lasts the {'window' if self.window.endswith('d') else self.window}"
        return str(self.fate)


def outlook_of(objective: Mapping[str, Any]) -> Outlook:  # Any: an objective of the printed report
    """Of an objective as it is printed."""
    evaluated_at, window = parse_instant(objective["evaluated_at"]), str(objective["window"])
    unit = unit_of(objective)
    spent, remaining = objective[f"spent_{unit}"], objective[f"remaining_{unit}"]
    gone = optional_instant(objective["projected_exhaustion_at"])
    if not objective["enough_data"]:
        return Outlook(Fate.NOT_KNOWN, None, evaluated_at, window)
    if spent > 0 and remaining <= 0:
        return Outlook(Fate.SPENT, optional_instant(objective["exhausted_at"]), evaluated_at, window)
    if unit == "requests":
        return Outlook(Fate.NOT_PROJECTED, None, evaluated_at, window)
    if gone is None or (window.endswith("d") and gone >= evaluated_at + timedelta(days=int(window[:-1]))):
        return Outlook(Fate.LASTS, None, evaluated_at, window)
    return Outlook(Fate.ENDS, gone, evaluated_at, window)


def _when(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    local, today = at.astimezone(zone), now.astimezone(zone)
    if abs(local.date() - today.date()) <= NEAR:
        return f"{local:%A %H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%B}{year} {local:%H:%M}"
