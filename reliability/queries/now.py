"""What is going on at this moment: open incidents, running deploys, live releases, links that wait for a person."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, IntegerField, Max, OuterRef, Prefetch, QuerySet, Subquery, Value, When

from deploys.models import Change, Deploy, Policy, Service, Team, Tier
from incidents.models import Cause, ImpactClass, Incident, IncidentService

#: How far back roll-out times are looked at, and how many of them.
USUAL_SPAN, USUAL_MOST = dt.timedelta(days=90), 400
DECIDE_SPAN = dt.timedelta(days=28)

_worst_first = Case(
    *(When(impact_class=value, then=Value(rank)) for rank, value in enumerate(ImpactClass.values)),
    output_field=IntegerField(),
)


def _with_names(rows: QuerySet[Incident]) -> QuerySet[Incident]:
    """Incidents with their services and causes loaded: two queries more, whatever their number."""
    causes = Cause.objects.select_related(
        "change__deploy__release", "change__service", "change__flag_change__flag"
    ).order_by("-probability", "id")
    return rows.prefetch_related(
        Prefetch("incident_services", IncidentService.objects.select_related("service")), Prefetch("causes", causes)
    )


def _counted(team: Team) -> QuerySet[Incident]:
    return Incident.objects.filter(team=team, is_dismissed=False, duplicate_of__isnull=True)


def open_incidents(*, team: Team, most: int = 20) -> list[Incident]:
    """Incidents whose impact goes on, worst class first, then the oldest. Three queries."""
    rows = _counted(team).filter(restored_at__isnull=True).select_related("lead")
    return list(_with_names(rows).order_by(_worst_first, "begins_at", "id")[:most])


def last_restored_at(*, team: Team) -> dt.datetime | None:
    """When the last incident ended; None if there was none."""
    found: dt.datetime | None = _counted(team).aggregate(last=Max("restored_at"))["last"]
    return found


def undecided_incidents(*, team: Team, now: dt.datetime, most: int = 5) -> list[Incident]:
    """Incidents of the last four weeks with a suggested cause and none decided, worst first. Three queries."""
    decided = Cause.objects.filter(status=Cause.Status.CONFIRMED).values("incident")
    rows = (
        _counted(team)
        .filter(begins_at__gt=now - DECIDE_SPAN, causes__status=Cause.Status.SUGGESTED)
        .exclude(pk__in=decided)
    )
    return list(_with_names(rows.distinct()).order_by(_worst_first, "-begins_at", "id")[:most])


@dataclass(frozen=True, slots=True)
class RunningDeploy:
    """A deploy under way, with how long those of its service usually take (None: too few to say)."""

    deploy: Deploy
    elapsed: dt.timedelta
    usual: dt.timedelta | None
    usual_count: int


def running_deploys(*, team: Team, now: dt.datetime, most: int = 3) -> tuple[list[RunningDeploy], int]:
    """Production deploys without an end that are not overdue, newest first, and their whole number. Three queries."""
    seconds = Policy.objects.filter(team=team).values_list("deploy_timeout_seconds", flat=True).first() or 86_400
    rows = Deploy.objects.filter(
        team=team, status=Deploy.Status.IN_PROGRESS, environment__tier=Tier.PRODUCTION, started_at__lte=now, started_at__gt=now - dt.timedelta(seconds=seconds)
    )  # fmt: skip
    running = list(rows.select_related("service", "release", "change").order_by("-started_at", "pk")[: most + 1])
    total = len(running) if len(running) <= most else rows.count()
    usual = _usual_lengths([deploy.service_id for deploy in running], now) if running else {}
    return [_running(deploy, usual.get(deploy.service_id, []), now) for deploy in running[:most]], total


def _running(deploy: Deploy, lengths: Sequence[dt.timedelta], now: dt.datetime) -> RunningDeploy:
    middle = sorted(lengths)[len(lengths) // 2] if len(lengths) >= 3 else None
    return RunningDeploy(deploy, now - deploy.started_at, middle, len(lengths))


def _usual_lengths(services: Sequence[int], now: dt.datetime) -> dict[int, list[dt.timedelta]]:
    rows = Deploy.objects.filter(
        service__in=services, status=Deploy.Status.SUCCESS, environment__tier=Tier.PRODUCTION, finished_at__isnull=False, started_at__gt=now - USUAL_SPAN
    ).order_by("-started_at")  # fmt: skip
    lengths: dict[int, list[dt.timedelta]] = defaultdict(list)
    for service, started_at, finished_at in rows.values_list("service", "started_at", "finished_at")[:USUAL_MOST]:
        if finished_at is not None and finished_at >= started_at:
            lengths[service].append(finished_at - started_at)
    return lengths


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """A service with the deploy that is live in production and the last one that started there."""

    service: Service
    live: Deploy | None
    last: Deploy | None


def service_lines(*, team: Team, now: dt.datetime) -> list[ServiceLine]:
    """Services that are not retired, critical ones first, then by name. Two queries."""
    deploys = Deploy.objects.filter(service=OuterRef("pk"), environment__tier=Tier.PRODUCTION, started_at__lte=now)
    services = list(
        Service.objects.filter(team=team)
        .exclude(retired_at__lte=now)
        .annotate(
            live_pk=Subquery(
                deploys.filter(status=Deploy.Status.SUCCESS)
                .order_by("-finished_at", "-started_at", "-pk")
                .values("pk")[:1]
            ),
            last_pk=Subquery(deploys.order_by("-started_at", "-pk").values("pk")[:1]),
        )
        .order_by("-is_critical", "name")
    )
    wanted = {key for service in services for key in (service.live_pk, service.last_pk) if key}
    rows = Deploy.objects.select_related("release", "change").in_bulk(wanted)
    return [ServiceLine(service, rows.get(service.live_pk), rows.get(service.last_pk)) for service in services]


def change_name(change: Change) -> str:
    """What people call a change: `cart 7.2.0`, `flag new-vat 25 → 50 %`. Needs its deploy or flag change loaded."""
    if change.kind == Change.Kind.DEPLOY:
        version = change.deploy.release.version if change.deploy.release else change.deploy.external_id
        return f"{change.service.name if change.service else ''} {version}".strip()
    flip = change.flag_change
    before = "" if flip.old_percent is None else f"{flip.old_percent:g} → "
    return f"flag {flip.flag.key} {before}{flip.new_percent:g}\N{NO-BREAK SPACE}%"
