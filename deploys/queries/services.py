"""Services as their pages show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from deploys.models import Deploy, Environment, Service, Team

PRODUCTION = Q(environment__name__istartswith="prod") | Q(environment__name__istartswith="live")


def _last_live(of: Q) -> Subquery:
    """The key of the deploy that went live last, by the list index: what serves users now."""
    rows = Deploy.objects.filter(of, outcome_listed="succeeded")
    return Subquery(
        rows.order_by(Coalesce("live_at", "finished_at", "started_at").desc(), "-pk").values("change_id")[:1]
    )


def services_with_live(team: Team) -> list[tuple[Service, Deploy | None, dt.datetime | None]]:
    """Services by name, each with what is live in production and when a deploy was last started. Two queries."""
    last = Deploy.objects.filter(service=OuterRef("pk")).order_by("-started_at").values("started_at")[:1]
    services = list(
        team.services.select_related("owner_group")
        .annotate(live_id=_last_live(Q(service=OuterRef("pk")) & PRODUCTION), last_deploy_at=Subquery(last))
        .order_by("name")
    )
    wanted = [key for service in services if (key := getattr(service, "live_id", None))]
    live = Deploy.objects.select_related("change", "release").in_bulk(wanted) if wanted else {}
    return [
        (service, live.get(getattr(service, "live_id", None) or 0), getattr(service, "last_deploy_at", None))
        for service in services
    ]


def live_by_environment(service: Service) -> list[tuple[Environment, Deploy]]:
    """What is live in each environment the service was ever deployed to, production first. Two queries."""
    places = Environment.objects.filter(team=service.team_id).annotate(
        live_id=_last_live(Q(service=service, environment=OuterRef("pk")))
    )
    found = [(place, place.live_id) for place in places.filter(live_id__isnull=False)]
    live = Deploy.objects.select_related("change", "release", "artifact").in_bulk([key for _, key in found])
    order = ["production", "staging", "testing", "development", "other"]
    return sorted(
        ((place, live[key]) for place, key in found),
        key=lambda pair: (order.index(pair[0].tier), pair[0].name.lower()),
    )


def last_deploys(service: Service, *, count: int) -> QuerySet[Deploy, Deploy]:
    """The deploys started last."""
    rows = Deploy.objects.filter(service=service).select_related("change", "release", "environment")
    return rows.order_by("-started_at", "-pk")[:count]


def neighbours(service: Service) -> tuple[Sequence[Service], Sequence[Service]]:
    """What the service calls, and what calls it; each with `origin`, by name. Two queries."""
    calls = Service.objects.filter(dependants__service=service).annotate(origin=F("dependants__origin"))
    called_by = Service.objects.filter(dependencies__depends_on=service).annotate(origin=F("dependencies__origin"))
    return list(calls.order_by("name")), list(called_by.order_by("name"))
