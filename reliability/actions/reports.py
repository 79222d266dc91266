"""Closing a period as a snapshot, and restating it in the open when later facts change its numbers."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db import transaction

from deploys import failpoints
from deploys.models import Fact, Team
from reliability.charts.telling import KEY, first_needed, stored, telling_of
from reliability.domain.contract import Report, contract
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.periods import Period, PeriodKind, period_holding, period_labelled
from reliability.domain.restatement import differences, in_words
from reliability.domain.rows import kept
from reliability.domain.weeks import zone_named
from reliability.models import ReportPlan, ReportSnapshot
from reliability.queries.flag_lines import flags_beside
from reliability.queries.knowledge import LONGEST_PERIOD, knowledge_as_of
from reliability.queries.reports import closed_since, report_as_of, snapshots_of, team_zone

WATCHED: Final = timedelta(weeks=13)
"""Reports of periods that ended within this time are restated by themselves; older ones by hand."""

MOST_MISSED: Final = 13
"""How many periods that nobody closed (the instance was off) are closed afterwards."""

MOST_NAMED: Final = 5


class PeriodNotOver(ValueError):
    """Raised for a period that has not ended."""


@transaction.atomic
def close_report(*, team: Team, label: str, now: datetime, known: Knowledge | None = None) -> ReportSnapshot:
    """Stores the period's report as it is known now; a period closed before keeps the snapshot that stands.

    Raises PeriodNotOver, and NotAPeriod for what is no period. known: what is known as of now, if the caller has it.
    """
    period = period_labelled(label, team_zone(team))
    window = period.interval
    if now < window.end:
        raise PeriodNotOver(f"{label} ends at {window.end.isoformat()}")
    Team.objects.select_for_update().get(pk=team.pk)
    standing = snapshots_of(team=team, label=label)
    if standing:
        return standing[-1]
    known = known or knowledge_as_of(team=team, as_of=now, span=window, traffic_from=window.start - LONGEST_PERIOD)
    report = Report(known, window, period.zone)
    result = contract(report)
    snapshot = ReportSnapshot.objects.create(
        team=team,
        label=label,
        from_at=window.start,
        to_at=window.end,
        zone=team.zone,
        as_of_at=now,
        number=1,
        result=result,
        beside=_beside(team, period, report, result, now),
        created_at=now,
    )
    failpoints.reach("report.stored")
    return snapshot


@transaction.atomic
def restate(
    *, team: Team, label: str, now: datetime, reason: str = "", known: Knowledge | None = None
) -> ReportSnapshot | None:
    """Stores the next numbered snapshot if later facts change the numbers of the standing one; else None.

    That deploys grow older changes nothing here: with the clocks at now, the facts known then are compared with those
    known now. Facts that an import dated back are found by computing the standing snapshot again. The window and the zone stay those of the first snapshot. Without a reason it names the new facts.
    known: what is known as of now, if the caller has it.
    """
    Team.objects.select_for_update().get(pk=team.pk)
    snapshots = snapshots_of(team=team, label=label)
    if not snapshots:
        return None
    standing = snapshots[-1]
    window, zone = Interval(standing.from_at, standing.to_at), zone_named(standing.zone)
    known = known or knowledge_as_of(team=team, as_of=now, span=window, traffic_from=window.start - LONGEST_PERIOD)
    report = Report(known, window, zone)
    result = contract(report)
    changes = differences(standing.result, result)
    if not changes:
        return None
    without = report_as_of(team=team, window=window, as_of=now, zone=zone, received_by=standing.as_of_at)
    found = differences(without, result)
    if found:
        news = reason or new_facts_in_words(team=team, since=standing.as_of_at, until=now)
    else:
        again = report_as_of(team=team, window=window, as_of=standing.as_of_at, zone=zone)
        found, news = differences(standing.result, again), reason or "a history was imported that begins before"
    if not found:
        return None
    return ReportSnapshot.objects.create(
        team=team,
        label=label,
        from_at=standing.from_at,
        to_at=standing.to_at,
        zone=standing.zone,
        as_of_at=now,
        number=standing.number + 1,
        reason=f"{in_words(found)}: {news}" if news else in_words(found),
        difference=[change.printed() for change in changes],
        result=result,
        beside=_beside(team, period_labelled(label, zone), report, result, now),
        created_at=now,
    )


def _beside(team: Team, period: Period, report: Report, result: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What is stored beside the numbers; Any: JSON. Its series reach further back than the numbers, so they are read anew."""
    begin = first_needed(period)
    known = knowledge_as_of(
        team=team, as_of=now, span=Interval(begin, period.interval.end), traffic_from=begin - LONGEST_PERIOD
    )
    telling = telling_of(team=team, period=period, known=known, printed=result, now=now)
    return {
        **kept(report.known, report.scope(None)),
        **flags_beside(team, result, now),
        KEY: stored(telling),
    }


def keep_reports(*, team: Team, now: datetime) -> list[ReportSnapshot]:
    """Closes the periods that have ended, if it is time, and restates what later facts changed; what was stored.

    A team without facts has no reports. What is known is folded once for all of them.
    """
    if not Fact.objects.filter(team=team).exists():
        return []
    due = _due(team, now)
    closed = closed_since(team=team, since=now - WATCHED)
    starts = [period.interval.start for period in due] + [standing.from_at for standing in closed]
    if not starts:
        return []
    span = Interval(min(starts), now)
    known = knowledge_as_of(team=team, as_of=now, span=span, traffic_from=span.start - LONGEST_PERIOD)
    closed_now = [close_report(team=team, label=period.label, now=now, known=known) for period in due]
    restated = [restate(team=team, label=standing.label, now=now, known=known) for standing in closed]
    return closed_now + [snapshot for snapshot in restated if snapshot is not None]


def _due(team: Team, now: datetime) -> list[Period]:
    """The periods that have ended, are to be closed by now, and are not: the last one, and those missed before it."""
    plan = ReportPlan.objects.filter(team=team).first() or ReportPlan(team=team)
    zone, found = team_zone(team), []
    for kind in plan.kinds:
        periods = period_holding(PeriodKind(kind), now, zone).moved(-1).until(MOST_MISSED)
        labels = set(
            ReportSnapshot.objects.filter(team=team, label__in=[each.label for each in periods]).values_list(
                "label", flat=True
            )
        )
        newest = max((place for place, each in enumerate(periods) if each.label in labels), default=None)
        missed = periods[newest + 1 :] if newest is not None else periods[-1:]
        found += [period for period in missed if now >= _closing(period, plan.closes_at_hour)]
    return found


def _closing(period: Period, hour: int) -> datetime:
    """When the clocks of the zone show the hour on the first day after the period."""
    return datetime.combine(period.moved(1).first, time(hour), period.zone)


def new_facts_in_words(*, team: Team, since: datetime, until: datetime) -> str:
    """Which records were told more about after one instant and up to another, incidents first."""
    rows = Fact.objects.filter(team=team, received_at__gt=since, received_at__lte=until).order_by("id")
    told: dict[tuple[bool, str, str], set[str]] = {}
    for kind, identity, payload in rows.values_list("kind", "identity", "payload"):
        name = str(json.loads(identity)[-1])
        told.setdefault((kind != "incident", kind, name), set()).update(payload.keys() - {"id", "service"})
    items = [f"{kind} {name} ({', '.join(sorted(keys))})" for (_, kind, name), keys in sorted(told.items())]
    more = f" and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return ", ".join(items[:MOST_NAMED]) + more
