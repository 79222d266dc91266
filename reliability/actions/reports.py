"""Closing a week as a snapshot, and restating it in the open when later facts change its numbers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from deploys import failpoints
from deploys.models import Fact, Team
from reliability.domain.contract import Report, contract
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.restatement import differences, in_words
from reliability.domain.weeks import DAY, monday_of, week_label, week_of, zone_named
from reliability.models import ReportSnapshot
from reliability.queries.knowledge import LONGEST_PERIOD, knowledge_as_of
from reliability.queries.reports import latest_snapshots, report_as_of, snapshots_of, week_labelled

CLOSES_AFTER: Final = timedelta(hours=6)
"""A week is closed this long after its end: most late messages of its last evening are in by then."""

WEEKS_WATCHED: Final = 13
"""Closed weeks that are restated by themselves; older ones are restated by hand."""

MOST_NAMED: Final = 5


class WeekNotOver(ValueError):
    """Raised for a week that has not ended."""


@transaction.atomic
def close_week(*, team: Team, label: str, now: datetime) -> ReportSnapshot:
    """Stores the week's report as it is known now; a week closed before keeps the snapshot that stands.

    Raises WeekNotOver, and ValueError for what is no ISO week.
    """
    window = week_labelled(team=team, label=label)
    if now < window.end:
        raise WeekNotOver(f"{label} ends at {window.end.isoformat()}")
    Team.objects.select_for_update().get(pk=team.pk)
    standing = snapshots_of(team=team, label=label)
    if standing:
        return standing[-1]
    result = report_as_of(team=team, window=window, as_of=now)
    stored = ReportSnapshot.objects.create(
        team=team,
        label=label,
        from_at=window.start,
        to_at=window.end,
        zone=team.zone,
        as_of_at=now,
        number=1,
        result=result,
        created_at=now,
    )
    failpoints.reach("report.stored")
    return stored


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
    known = known or knowledge_as_of(team=team, as_of=now, traffic_from=window.start - LONGEST_PERIOD)
    result = contract(Report(known, window, zone))
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
        created_at=now,
    )


def keep_reports(*, team: Team, now: datetime) -> list[ReportSnapshot]:
    """Closes the week that has ended, if it is time, and restates what later facts changed; what was stored.

    A team without facts has no reports.
    """
    if not Fact.objects.filter(team=team).exists():
        return []
    stored: list[ReportSnapshot] = []
    zone = zone_named(team.zone)
    monday = monday_of(now, zone) - 7 * DAY
    label = week_label(monday)
    if now >= week_of(monday, zone).end + CLOSES_AFTER and not snapshots_of(team=team, label=label):
        stored.append(close_week(team=team, label=label, now=now))
    closed = latest_snapshots(team=team, count=WEEKS_WATCHED)
    if closed:
        earliest = min(standing.from_at for standing in closed)
        known = knowledge_as_of(team=team, as_of=now, traffic_from=earliest - LONGEST_PERIOD)
        restated = [restate(team=team, label=standing.label, now=now, known=known) for standing in closed]
        stored += [snapshot for snapshot in restated if snapshot is not None]
    return stored


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
