"""What a report shows beside the printed numbers: incidents in order of harm, failed deploys, budgets over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from deploys.domain.identifiers import public_ids_among
from deploys.models import Deploy, Flag, Team, Tier
from incidents.domain.promises import ItemState
from incidents.models import ActionItem, Cause, Incident, Maintenance, Remedy, Retrospective
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.since_closing import KnownToday
from reliability.domain.slo import Evaluation
from reliability.domain.spending import BudgetStep, budget_steps
from reliability.domain.verdicts import Worst
from reliability.domain.weeks import DAY
from reliability.queries.knowledge import LONGEST_PERIOD
from reliability.queries.now import change_name
from reliability.queries.reports import incidents_in

SEVERE = ("downtime", "multi_user")
MOST_BROKEN = 300


@dataclass(frozen=True, slots=True)
class ToldCause:
    """What an incident is laid at. change_id: the public id of the deploy, empty for anything else; by: who linked it."""

    name: str
    change_id: str
    by: str
    probability: float | None


@dataclass(frozen=True, slots=True)
class Broken:
    """An incident as the report tells of it, with nothing that a row of today would have to add."""

    number: int
    slug: str
    title: str
    impact_class: str
    services: Sequence[str]
    users_count: int
    started_at: dt.datetime | None
    begins_at: dt.datetime
    detected_at: dt.datetime | None
    mitigated_at: dt.datetime | None
    restored_at: dt.datetime | None
    lasted: dt.timedelta
    confirmed: ToldCause | None
    suggested: ToldCause | None
    ended_by: str

    @property
    def cause_name(self) -> str:
        """The confirmed cause, else the suspected one; empty where none is named."""
        shown = self.confirmed or self.suggested
        return shown.name if shown else ""

    @property
    def is_severe(self) -> bool:
        """Whether it is told in full."""
        return self.impact_class in SEVERE

    @property
    def harm(self) -> tuple[bool, float, bool, float]:
        """What the list is ordered by: severe ones first, then users × time, downtime first where no users are known."""
        seconds = self.lasted.total_seconds()
        return self.is_severe, self.users_count * seconds, self.impact_class == SEVERE[0], seconds


def broken_in(*, team: Team, window: Interval, now: dt.datetime, most: int = MOST_BROKEN) -> list[Broken]:
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
    return Broken(
        number=incident.number,
        slug=incident.slug,
        title=incident.title,
        impact_class=incident.impact_class,
        services=[each.service.name for each in incident.incident_services.all()],
        users_count=incident.users_count,
        started_at=incident.started_at,
        begins_at=incident.begins_at,
        detected_at=incident.detected_at,
        mitigated_at=incident.mitigated_at,
        restored_at=incident.restored_at,
        lasted=(incident.restored_at or now) - incident.begins_at,
        confirmed=_cause(confirmed) if confirmed else None,
        suggested=_cause(suggested) if suggested and confirmed is None else None,
        ended_by=", ".join(_remedy(remedy) for remedy in incident.remedies.all()),
    )


def _cause(cause: Cause) -> ToldCause:
    change = cause.change
    is_deploy = change is not None and change.kind == change.Kind.DEPLOY
    return ToldCause(
        name=change_name(change) if change else cause.get_kind_display(),
        change_id=str(change.public_id) if change and is_deploy else "",
        by=cause.by,
        probability=cause.probability,
    )


def known_today(*, team: Team, window: Interval) -> tuple[list[KnownToday], dict[str, tuple[str, int]]] | None:
    """Counted incidents of the window as they stand, and (slug, number) by each of their ids. One query.

    None where there are too many to compare.
    """
    rows = list(
        incidents_in(team=team, window=window)
        .filter(environment__tier=Tier.PRODUCTION)
        .prefetch_related(None)
        .select_related(None)
        .only("team", "number", "external_id", "public_id", "impact_class", "begins_at", "restored_at")[:MOST_BROKEN]
    )
    if len(rows) == MOST_BROKEN:
        return None
    named = {name: (each.slug, each.number) for each in rows for name in (each.external_id, str(each.public_id))}
    today = [
        KnownToday((each.external_id, str(each.public_id)), each.impact_class, each.begins_at, each.restored_at)
        for each in rows
    ]
    return today, named


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
        label=first.slug,
        title=first.title,
        lasted_seconds=first.lasted.total_seconds(),
        users_count=first.users_count,
        cause=first.cause_name,
        status="confirmed" if first.confirmed else "suggested" if first.suggested else "",
        ended_by=first.ended_by,
        is_open=first.restored_at is None,
    )


def deploys_by_ids(*, team: Team, ids: Sequence[str]) -> list[Deploy]:
    """The deploys that printed ids name (external ids, or public ones where those are not unique), oldest first."""
    public = public_ids_among(ids)
    rows = Deploy.objects.filter(team=team).filter(Q(external_id__in=list(ids)) | Q(change__public_id__in=public))
    return list(rows.select_related("service", "release", "change").order_by("started_at", "pk"))


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


def remaining_by_period(known: Knowledge, key: str, windows: Sequence[Interval], zone: ZoneInfo) -> list[float | None]:
    """What was left of a budget at the end of each window, in its unit; None where the requests then are not loaded."""
    loaded_from = known.history.as_of - LONGEST_PERIOD
    found: list[float | None] = []
    for window in windows:
        evaluation = objective_at(known, key, window, zone)
        if evaluation is None or (not evaluation.is_time and evaluation.period.start < loaded_from):
            found.append(None)
        else:
            remaining = evaluation.budget(evaluation.period).remaining
            found.append(float(remaining) / (1e6 if evaluation.is_time else 1))
    return found


def objectives_by_period(
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


@dataclass(frozen=True, slots=True)
class FailedDeploy:
    """A deploy that failed, or is suspected."""

    change_id: str
    service: str
    release: str
    started_at: dt.datetime | None
    is_failed: bool


def failed_deploys(*, team: Team, printed: Mapping[str, Any]) -> list[FailedDeploy]:  # Any: the printed report
    """The failed and suspected deploys that a printed report names, oldest first. One query."""
    part = printed["total"]["change_failure"]
    failed = set(part["failed_deploy_ids"])
    rows = deploys_by_ids(team=team, ids=[*part["failed_deploy_ids"], *part["suspected_deploy_ids"]])
    return [
        FailedDeploy(
            str(deploy.change.public_id), deploy.service.name, str(deploy.release or deploy.external_id), deploy.started_at,
            deploy.external_id in failed or str(deploy.change.public_id) in failed,
        )
        for deploy in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """A slot of maintenance; without services all of them."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    title: str
    services: Sequence[str]
    is_for_all_services: bool
    is_announced: bool


@dataclass(frozen=True, slots=True)
class ExpiringFlag:
    """A flag with the day after which it should be gone."""

    key: str
    expires_at: dt.datetime
    owner: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is known to come: announced or planned work, and flags that expire."""

    slots: Sequence[PlannedWork]
    flags: Sequence[ExpiringFlag]


def ahead(*, team: Team, after: dt.datetime, span: dt.timedelta = 14 * DAY, most: int = 5) -> Ahead:
    """Planned work and expiring flags of the time after an instant, soonest first. Three queries."""
    slots = Maintenance.objects.filter(
        team=team, is_cancelled=False, environment__tier=Tier.PRODUCTION, ends_at__gt=after, starts_at__lt=after + span
    ).prefetch_related("services")  # fmt: skip
    flags = Flag.objects.filter(team=team, expires_at__gt=after, expires_at__lt=after + span, archived_at__isnull=True)
    return Ahead(
        [
            PlannedWork(
                slot.starts_at, slot.ends_at, slot.title, [each.name for each in slot.services.all()], slot.is_for_all_services,
                slot.announced_at is not None,
            )
            for slot in slots.order_by("starts_at", "pk")[:most]
        ],
        [
            ExpiringFlag(flag.key, flag.expires_at, flag.owner)
            for flag in flags.order_by("expires_at", "pk")[:most] if flag.expires_at is not None
        ],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OwedItem:
    """Something promised after an incident that is overdue. owner: empty where nobody looks after it."""

    public_id: str
    title: str
    owner: str
    due_on: dt.date | None
    incident: str


@dataclass(frozen=True, slots=True)
class Unwritten:
    """An incident nobody has written about."""

    number: int
    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class Promised:
    """What was promised after incidents, as of an instant. `unwritten`: severe incidents without a finished retrospective."""

    overdue: Sequence[OwedItem]
    overdue_count: int
    open_count: int
    done_count: int
    unwritten: Sequence[Unwritten]


def promised(
    *, team: Team, window: Interval, at: dt.datetime, zone: ZoneInfo, broken: Sequence[Broken], most: int = 10
) -> Promised:
    """Action items as they stood at `at`, the longest overdue first, and those done in the window. Three queries."""
    today = at.astimezone(zone).date()
    standing = Q(created_at__lte=at) & (Q(ended_at__isnull=True) | Q(ended_at__gt=at))
    late = standing & Q(due_on__lt=today)
    done = Q(state=ItemState.DONE, ended_at__gte=window.start, ended_at__lt=window.end)
    items = ActionItem.objects.filter(team=team)
    counts = items.aggregate(
        late=Count("pk", filter=late), standing=Count("pk", filter=standing), done=Count("pk", filter=done)
    )
    ended = [each for each in broken if each.is_severe and each.restored_at is not None]
    written = set(
        Retrospective.objects.filter(
            incident__team=team, incident__number__in=[each.number for each in ended], finished_at__lte=at
        ).values_list("incident__number", flat=True)
    )
    overdue = items.filter(late).select_related("incident", "owner").order_by("due_on", "pk")[:most]
    return Promised(
        overdue=[
            OwedItem(str(each.public_id), each.title, each.owner.name if each.owner else "", each.due_on, each.incident.slug)
            for each in overdue
        ],
        overdue_count=counts["late"],
        open_count=counts["standing"],
        done_count=counts["done"],
        unwritten=[
            Unwritten(each.number, each.slug, each.title) for each in ended if each.number not in written
        ][:most],
    )  # fmt: skip
