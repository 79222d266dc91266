"""What the weekly report shows beside the printed numbers: incidents in order of harm, failed deploys, budgets over time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from deploys.models import Deploy, Team
from incidents.models import Cause, Incident, Remedy
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.slo import Evaluation
from reliability.domain.spending import BudgetStep, budget_steps
from reliability.domain.verdicts import Worst
from reliability.domain.weeks import DAY, monday_of, week_label, week_of
from reliability.queries.now import change_name
from reliability.queries.reports import WeekPoint, incidents_in, last_weeks

SEVERE = ("downtime", "multi_user")


@dataclass(frozen=True, slots=True)
class Broken:
    """An incident as the report tells of it."""

    incident: Incident
    services: Sequence[str]
    lasted: dt.timedelta
    confirmed: Cause | None
    suggested: Cause | None
    cause_name: str
    ended_by: str

    @property
    def is_severe(self) -> bool:
        """Whether it is told in full."""
        return self.incident.impact_class in SEVERE

    @property
    def harm(self) -> tuple[bool, float, bool, float]:
        """What the list is ordered by: severe ones first, then users × time, downtime first where no users are known."""
        seconds = self.lasted.total_seconds()
        return self.is_severe, self.incident.users_count * seconds, self.incident.impact_class == SEVERE[0], seconds


def broken_in(*, team: Team, window: Interval, now: dt.datetime, most: int = 300) -> list[Broken]:
    """Incidents of the window, those that did most harm first. About eight queries, whatever their number."""
    rows = incidents_in(team=team, window=window).prefetch_related(
        "causes__change__deploy__release", "causes__change__service", "causes__change__flag_change__flag",
        "remedies__change__deploy__release", "remedies__change__service", "remedies__change__flag_change__flag",
    )  # fmt: skip
    return sorted((_broken(incident, now) for incident in rows[:most]), key=lambda each: each.harm, reverse=True)


def _broken(incident: Incident, now: dt.datetime) -> Broken:
    causes = list(incident.causes.all())
    confirmed = next((cause for cause in causes if cause.status == Cause.Status.CONFIRMED), None)
    suggested = next((cause for cause in causes if cause.status == Cause.Status.SUGGESTED), None)
    shown = confirmed or suggested
    return Broken(
        incident=incident,
        services=[each.service.name for each in incident.incident_services.all()],
        lasted=(incident.restored_at or now) - incident.begins_at,
        confirmed=confirmed,
        suggested=suggested if confirmed is None else None,
        cause_name="" if shown is None else change_name(shown.change) if shown.change else shown.get_kind_display(),
        ended_by=", ".join(_remedy(remedy) for remedy in incident.remedies.all()),
    )


def _remedy(remedy: Remedy) -> str:
    change = remedy.change
    if change is None:
        return remedy.kind
    kind = change.deploy.kind_listed if change.kind == change.Kind.DEPLOY else ""
    word = {"rollback": "rollback to ", "hotfix": "hotfix "}.get(kind, "")
    return f"{word}{change_name(change)}"


def worst_of(broken: Sequence[Broken]) -> Worst | None:
    """The incident the verdict tells of: the first severe one."""
    first = next((each for each in broken if each.is_severe), None)
    if first is None:
        return None
    return Worst(
        label=first.incident.slug,
        title=first.incident.title,
        lasted_seconds=first.lasted.total_seconds(),
        users_count=first.incident.users_count,
        cause=first.cause_name,
        status="confirmed" if first.confirmed else "suggested" if first.suggested else "",
        ended_by=first.ended_by,
        is_open=first.incident.restored_at is None,
    )


def deploys_by_ids(*, team: Team, ids: Sequence[str]) -> list[Deploy]:
    """The deploys that printed ids name (external ids, or public ones where those are not unique), oldest first."""
    public = []
    for each in ids:
        try:
            public.append(uuid.UUID(each))
        except ValueError:
            continue
    rows = Deploy.objects.filter(team=team).filter(Q(external_id__in=list(ids)) | Q(change__public_id__in=public))
    return list(rows.select_related("service", "release", "change").order_by("started_at", "pk"))


def weeks_until(*, team: Team, window: Interval, now: dt.datetime, zone: ZoneInfo, count: int = 12) -> list[WeekPoint]:
    """The weeks up to and including the one of the window, oldest first."""
    back = (monday_of(now, zone) - monday_of(window.start, zone)).days // 7
    points = last_weeks(team=team, now=now, count=back + count)
    return points[:count]


def objective_at(known: Knowledge, key: str, window: Interval, zone: ZoneInfo) -> Evaluation | None:
    """An objective at the end of the elapsed part of a window."""
    objective = next((each for each in known.history.objectives if each.id == key), None)
    if objective is None:
        return None
    at = max(window.start, min(window.end, known.history.as_of))
    return Evaluation(known, objective, window, at, zone)


def burn_down(evaluation: Evaluation) -> list[BudgetStep]:
    """How its budget was spent over its period."""
    return budget_steps(evaluation)


def remaining_by_week(known: Knowledge, key: str, weeks: Sequence[WeekPoint], zone: ZoneInfo) -> list[float | None]:
    """What was left of a budget at the end of each week, in its unit."""
    found: list[float | None] = []
    for week in weeks:
        evaluation = objective_at(known, key, Interval(week.from_at, week.to_at), zone)
        found.append(
            None
            if evaluation is None
            else float(evaluation.budget(evaluation.period).remaining) / (1e6 if evaluation.is_time else 1)
        )
    return found


def objectives_by_week(
    known: Knowledge, windows: Sequence[Interval], zone: ZoneInfo
) -> list[list[dict[str, Any]]]:  # Any: printed objectives
    """Every objective at the end of each window, for the words of an archive."""
    return [
        [
            evaluation.printed()
            for each in known.history.objectives
            if (evaluation := objective_at(known, each.id, window, zone))
        ]
        for window in windows
    ]


def recent_weeks(*, now: dt.datetime, zone: ZoneInfo, count: int) -> list[tuple[str, Interval]]:
    """Labels and instants of the last weeks, newest first; the first one is running."""
    monday = monday_of(now, zone)
    days = [monday - 7 * DAY * back for back in range(count)]
    return [(week_label(day), week_of(day, zone)) for day in days]
