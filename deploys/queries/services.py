"""Services as their pages show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from deploys.models import Deploy, Environment, Service, Team
from deploys.queries.changes import deploy_timeout

PRODUCTION = Q(environment__name__istartswith="prod") | Q(environment__name__istartswith="live")
TIERS = ["production", "staging", "testing", "development", "other"]


@dataclass(frozen=True, slots=True)
class Place:
    """A service in an environment: what serves users there, and what is on its way. Either may be missing, not both."""

    live: Deploy | None
    running: Deploy | None


def services_with_live(team: Team) -> list[tuple[Service, Deploy | None, dt.datetime | None]]:
    """Services by name, each with what is live in production and when a deploy was last started. Two queries."""
    last = Deploy.objects.filter(service=OuterRef("pk")).order_by("-started_at").values("started_at")[:1]
    services = list(
        team.services.select_related("owner_group").annotate(last_deploy_at=Subquery(last)).order_by("name")
    )
    rows = Deploy.objects.filter(PRODUCTION, team=team, is_live_listed=True).select_related("change", "release")
    live = {deploy.service_id: deploy for deploy in sorted(rows, key=_live_since)}
    return [(service, live.get(service.pk), getattr(service, "last_deploy_at", None)) for service in services]


def _live_since(deploy: Deploy) -> tuple[dt.datetime, int]:
    return deploy.live_at or deploy.finished_at or deploy.started_at, deploy.pk


def live_by_environment(service: Service) -> list[tuple[Environment, Deploy]]:
    """What is live in each environment the service was ever deployed to, production first. One query."""
    rows = Deploy.objects.filter(team=service.team_id, service=service, is_live_listed=True)
    found = [(row.environment, row) for row in rows.select_related("change", "release", "artifact", "environment")]
    return sorted(found, key=lambda pair: _rank(pair[0]))


def _rank(environment: Environment) -> tuple[int, str]:
    return TIERS.index(environment.tier), environment.name.lower()


def board(team: Team, *, now: dt.datetime) -> tuple[list[Environment], list[tuple[Service, list[Place | None]]]]:
    """What is live and what is on its way, service by environment, production first. Three queries, whatever the history.

    Services that were never deployed have only empty places; environments nothing lives in are left out.
    """
    rows = Deploy.objects.filter(team=team).select_related("change", "release", "environment")
    live = {(row.service_id, row.environment_id): row for row in rows.filter(is_live_listed=True)}
    begun = rows.filter(outcome_listed="running", started_at__lte=now, started_at__gte=now - deploy_timeout(team))
    running = {(row.service_id, row.environment_id): row for row in begun.order_by("started_at", "pk")}
    known = {row.environment_id: row.environment for row in (*live.values(), *running.values())}
    environments = sorted(known.values(), key=_rank)
    lines = []
    for service in team.services.select_related("owner_group").order_by("name"):
        keys = [(service.pk, environment.pk) for environment in environments]
        lines.append(
            (
                service,
                [Place(live.get(key), running.get(key)) if key in live or key in running else None for key in keys],
            )
        )
    return environments, lines


def last_deploys(service: Service, *, count: int) -> QuerySet[Deploy, Deploy]:
    """The deploys started last."""
    rows = Deploy.objects.filter(service=service).select_related("change", "release", "environment")
    return rows.order_by("-started_at", "-pk")[:count]


def neighbours(service: Service) -> tuple[Sequence[Service], Sequence[Service]]:
    """What the service calls, and what calls it; each with `origin`, by name. Two queries."""
    calls = Service.objects.filter(dependants__service=service).annotate(origin=F("dependants__origin"))
    called_by = Service.objects.filter(dependencies__depends_on=service).annotate(origin=F("dependencies__origin"))
    return list(calls.order_by("name")), list(called_by.order_by("name"))
