"""How many flags should have gone, week by week: as closed reports told it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from deploys.models import Team
from reliability.domain.weeks import DAY, monday_of, week_label, zone_named
from reliability.models import ReportSnapshot

WEEKS: Final = 12


@dataclass(frozen=True, slots=True)
class DebtWeek:
    """Flags in use at the end of a week, and the stale ones among them (METRICS section 16); None: no report was closed."""

    label: str
    flags_count: int | None = None
    stale_count: int | None = None


def debt_weeks(team: Team, *, now: dt.datetime) -> list[DebtWeek]:
    """The twelve whole weeks before now, oldest first. One query.

    A restated report counts as it was restated last. Nothing is worked out anew: what scans and counters knew then is not
    known any more, so weeks that nobody closed stay unknown.
    """
    this_monday = monday_of(now, zone_named(team.zone))
    labels = [week_label(this_monday - ahead * 7 * DAY) for ahead in range(WEEKS, 0, -1)]
    rows = ReportSnapshot.objects.filter(team=team, label__in=labels).order_by("number")
    told = {
        label: DebtWeek(label, flags, stale)
        for label, flags, stale in rows.values_list("label", "result__flags__flags_count", "result__flags__stale_count")
    }
    return [told.get(label, DebtWeek(label)) for label in labels]
