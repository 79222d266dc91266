"""What a report tells beside its numbers: incidents, series, budgets over time, promises, the picture of the week.

Read from today's rows while a period runs; stored with the snapshot when it is closed, so that the page of a closed report
needs nothing else and shows what was known then. Snapshots that were stored without it are read from today's rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from deploys.models import Team
from incidents.models import Incident
from reliability.charts.strip import Strip
from reliability.charts.week import strip_of
from reliability.domain.contract import Report, scope_part
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.periods import COMPARED, Period, PeriodKind
from reliability.domain.verdicts import headline
from reliability.domain.weeks import zone_named
from reliability.models import Objective, ReportSnapshot
from reliability.queries import week as reads
from reliability.queries.reports import WeekPoint, points_of

Printed = Mapping[str, Any]  # Any: the printed report or a part of it

KEY: Final = "telling"
"""Where it stands in `ReportSnapshot.beside`."""

FORMAT: Final = 1
SERIES: Final = {PeriodKind.WEEK: 12, PeriodKind.MONTH: 12, PeriodKind.QUARTER: 8}
MOST_TOLD: Final = 5
#: The parts of the total that are compared with those of the periods before.
COMPARED_PARTS: Final = ("availability", "change_failure", "failed_deployment_recovery", "downtime_by_cause")


@dataclass(frozen=True, slots=True)
class Spent:
    """A stretch of downtime: what spent it, and what was left of the budget after it."""

    at: dt.datetime
    remaining_seconds: float
    what: str


@dataclass(frozen=True, slots=True)
class BurnDown:
    """How the budget of the objective that the verdict speaks of was spent. gone_at: at this pace, see `reliability.domain.outlook`."""

    from_at: dt.datetime
    to_at: dt.datetime
    measured_to: dt.datetime
    gone_at: dt.datetime | None
    steps: Sequence[Spent]


@dataclass(frozen=True, slots=True)
class Telling:
    """All of it. one_before and many_before: the compared parts of the period before, and of several counted as one.

    Fields that came after the first format have a default, so that older snapshots are still read.
    """

    broken: Sequence[reads.Broken]
    points: Sequence[WeekPoint]
    restated: Sequence[str]
    one_before: dict[str, Any]  # Any: printed parts
    many_before: dict[str, Any]  # Any: as above
    remaining: Sequence[float | None]
    burn_down: BurnDown | None
    failed: Sequence[reads.FailedDeploy]
    ahead: reads.Ahead
    promised: reads.Promised
    strip: Strip | None = None
    strip_left_out: int = 0
    policies: dict[str, str] = field(default_factory=dict)


def first_needed(period: Period) -> dt.datetime:
    """The beginning of the longest series that the telling of a period shows."""
    return min(period.until(SERIES[period.kind])[0].interval.start, period.before(COMPARED[period.kind]).start)


def telling_of(*, team: Team, period: Period, known: Knowledge, printed: Printed, now: dt.datetime) -> Telling:
    """From today's rows. `known` reaches back to `first_needed`. About thirty queries, whatever the number of rows."""
    window, zone = period.interval, period.zone
    until = min(now, window.end)
    broken = reads.broken_in(team=team, window=window, now=until)
    points = points_of(known, period.until(SERIES[period.kind]))
    objectives = printed["objectives"]
    chosen = headline(list(objectives.values()))
    key = next((name for name, each in objectives.items() if each is chosen), "")
    windows = [Interval(point.from_at, point.to_at) for point in points]
    strip, left_out = None, 0
    if period.kind is PeriodKind.WEEK:  # a picture of days: longer periods have none
        strip, left_out = strip_of(team=team, window=window, zone=zone, now=now)
    return Telling(
        broken=broken,
        points=points,
        restated=_restated(team, [point.label for point in points]),
        one_before=_whole(known, period.before(1), zone),
        many_before=_whole(known, period.before(COMPARED[period.kind]), zone),
        remaining=reads.remaining_by_period(known, key, windows, zone) if chosen else [],
        burn_down=_burn_down(team, known, key, window, zone),
        failed=reads.failed_deploys(team=team, printed=printed),
        ahead=reads.ahead(team=team, after=max(window.end, now) if now >= window.end else now),
        promised=reads.promised(team=team, window=window, at=until, zone=zone, broken=broken, most=MOST_TOLD),
        strip=strip,
        strip_left_out=left_out,
        policies=_policies(team),
    )


def _whole(known: Knowledge, window: Interval, zone: ZoneInfo) -> dict[str, Any]:  # Any: printed parts
    total = scope_part(Report(known, window, zone), None)
    return {name: total[name] for name in COMPARED_PARTS}


def _policies(team: Team) -> dict[str, str]:
    """What the team does when a budget is spent, by the key of the objective."""
    rows = Objective.objects.filter(team=team).exclude(budget_policy="")
    return dict(rows.values_list("external_id", "budget_policy"))


def _restated(team: Team, labels: Sequence[str]) -> list[str]:
    rows = ReportSnapshot.objects.filter(team=team, number__gt=1, label__in=labels)
    return sorted(set(rows.values_list("label", flat=True)))


def _burn_down(team: Team, known: Knowledge, key: str, window: Interval, zone: ZoneInfo) -> BurnDown | None:
    """Of time; requests have none."""
    evaluation = reads.objective_at(known, key, window, zone)
    if evaluation is None or not evaluation.is_time:
        return None
    steps = reads.burn_down(evaluation)
    ids = {each for step in steps for each in step.incident_ids}
    numbers = dict(Incident.objects.filter(team=team, external_id__in=ids).values_list("external_id", "number"))
    return BurnDown(
        evaluation.period.start,
        evaluation.period.end,
        evaluation.at,
        evaluation.projected_exhaustion_at(evaluation.budget(evaluation.period)),
        [
            Spent(
                step.end,
                step.remaining_seconds,
                ", ".join(f"INC-{numbers[each]}" if each in numbers else each for each in step.incident_ids),
            )
            for step in steps
        ],
    )


def stored(telling: Telling) -> dict[str, Any]:  # Any: JSON
    """As JSON, to stand in a snapshot."""
    made: dict[str, Any] = msgspec.to_builtins(telling, enc_hook=_text_of)  # Any: as above
    return {"format": FORMAT, **made}


def read(beside: Printed) -> Telling | None:
    """The stored one of a snapshot; None where there is none, or one of a format to come."""
    found = beside.get(KEY)
    if not found or found.get("format") != FORMAT:
        return None
    return msgspec.convert(found, Telling, dec_hook=_zone_of)


def without(beside: Printed) -> dict[str, Any]:  # Any: JSON
    """What stands beside a report but the telling: for machines, which have the rows."""
    return {name: part for name, part in beside.items() if name != KEY}


def _text_of(value: object) -> str:
    """ZoneInfo is the only type here that the encoder does not know. NotImplementedError is how its hooks refuse all others."""
    if isinstance(value, ZoneInfo):
        return value.key
    raise NotImplementedError(type(value))


def _zone_of(wanted: type, value: object) -> object:
    """The way back."""
    if wanted is ZoneInfo:
        return zone_named(str(value))
    raise NotImplementedError(wanted)
