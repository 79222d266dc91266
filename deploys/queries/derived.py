"""What follows from the facts of deploys, for pages and lists: live time, outcome, kind, and what replaced what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q

from deploys.domain.change_links import ChangeLinks
from deploys.domain.deploy_facts import Deploy as ToldDeploy
from deploys.domain.deploy_facts import DeployFacts, DeployKind, Outcome, deploy_facts
from deploys.domain.environments import tier
from deploys.models import Deploy, Team
from deploys.queries.changes import deploy_timeout

COLUMNS = (
    "change_id", "external_id", "status", "started_at", "finished_at", "live_at", "release__version",
    "artifact__digest", "kind_stated", "has_canary_step", "environment__name", "environment_id", "kind_listed", "outcome_listed", "is_live_listed", "live_listed_at",
    "is_stacked_listed", "undone_listed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """A deploy among its neighbours. `replaced_by` is what went live after it; `live_until` when that was."""

    facts: DeployFacts
    previous: int | None = None
    replaced_by: int | None = None
    live_until: dt.datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether its version serves users now, as far as known."""
        return self.facts.outcome is Outcome.SUCCEEDED and self.facts.live_at is not None and self.replaced_by is None


@dataclass(frozen=True, slots=True)
class ShownDeploy:
    """A deploy on its page, with what follows from the facts; panels are called with it."""

    deploy: Deploy
    standing: Standing

    @property
    def live_at(self) -> dt.datetime | None:
        """First production traffic, derived."""
        return self.standing.facts.live_at


def facts_of(
    service: str,
    rows: Iterable[Mapping[str, Any]],  # Any: column values
    *,
    links: ChangeLinks,
    now: dt.datetime,
    timeout: dt.timedelta,
    below: Iterable[Mapping[str, Any]] = (),  # Any: as above
) -> dict[int, DeployFacts]:
    """Facts of these rows (COLUMNS) of one service and tier, by the change's key.

    `timeout` is how long a deploy of the team may run; `below` are rows of versions that were live before: see `deploy_facts`.
    """
    told = {row["change_id"]: each for row in rows if (each := _told(service, row, now))}
    names = {key: each.id for key, each in told.items()}
    facts = deploy_facts(
        told.values(),
        remedy_ids={names[key] for key in links.remedy_ids if key in names},
        first_harm_at={names[key]: at for key, at in links.first_harm_at.items() if key in names},
        as_of=now,
        timeout=timeout,
        below=[each for row in below if (each := _told(service, row, now))],
    )
    return {key: facts[name] for key, name in names.items()}


def identity(row: Mapping[str, Any]) -> str:  # Any: column values
    """The id by which the pure functions know this row."""
    return f"{row['external_id']}\0{row['change_id']}"


def _told(service: str, row: Mapping[str, Any], now: dt.datetime) -> ToldDeploy | None:
    """The row as the pure functions take it; None if it begins later. A clock that lies ahead has not happened yet."""
    started_at, finished_at, live_at = row["started_at"], row["finished_at"], row["live_at"]
    assert isinstance(started_at, dt.datetime)  # noqa: S101 -- the column is not null
    if started_at > now:
        return None
    status = str(row["status"])
    if isinstance(finished_at, dt.datetime) and finished_at > now:
        finished_at, status = None, "in_progress"
    return ToldDeploy(
        id=identity(row),
        service=service,
        tier=tier(str(row["environment__name"])),
        started_at=started_at,
        status=status,
        finished_at=finished_at if isinstance(finished_at, dt.datetime) else None,
        live_at=live_at if isinstance(live_at, dt.datetime) and live_at <= now else None,
        release=None if row["release__version"] is None else str(row["release__version"]),
        artifact=None if row["artifact__digest"] is None else str(row["artifact__digest"]),
        kind=DeployKind(str(row["kind_stated"])) if row["kind_stated"] else None,
        was_canary=bool(row["has_canary_step"]),
    )


def shown_deploy(deploy: Deploy, *, links: ChangeLinks, now: dt.datetime) -> ShownDeploy | None:
    """The deploy with what follows from the facts; None while its start lies ahead. Five queries, whatever the history.

    Outcome and live time are worked out as of now; the kind and the neighbours are those of the list index.
    """
    row = Deploy.objects.values(*COLUMNS).get(pk=deploy.pk)
    alone = facts_of(deploy.service.name, [row], links=links, now=now, timeout=deploy_timeout(deploy.team))
    if deploy.pk not in alone:
        return None
    facts = replace(alone[deploy.pk], kind=DeployKind(deploy.kind_listed) if deploy.kind_listed else None)
    return ShownDeploy(deploy, _standing(facts, deploy, now))


def _standing(facts: DeployFacts, deploy: Deploy, now: dt.datetime) -> Standing:
    """The live ones before and after; only succeeded deploys replace others."""
    walk = Deploy.objects.filter(
        service=deploy.service_id,
        environment__in=environments_of_tier(deploy.team, tier(deploy.environment.name)),
        outcome_listed="succeeded",
        live_listed_at__lte=now,
    ).exclude(pk=deploy.pk)
    at = facts.live_at or deploy.started_at
    if facts.outcome is not Outcome.SUCCEEDED or facts.live_at is None:
        earlier = walk.filter(live_listed_at__lte=at).order_by("-live_listed_at", "-pk").values_list("pk", flat=True)
        return Standing(facts, previous=earlier.first())
    before = walk.filter(Q(live_listed_at__lt=at) | Q(live_listed_at=at, pk__lt=deploy.pk))
    after = walk.filter(Q(live_listed_at__gt=at) | Q(live_listed_at=at, pk__gt=deploy.pk))
    later = after.order_by("live_listed_at", "pk").values_list("pk", "live_listed_at").first()
    return Standing(
        facts,
        previous=before.order_by("-live_listed_at", "-pk").values_list("pk", flat=True).first(),
        replaced_by=later[0] if later else None,
        live_until=later[1] if later else None,
    )


def environments_of_tier(team: Team, name: str) -> list[int]:
    """The environments that are compared with each other under this name. One query."""
    return [key for key, each in team.environments.values_list("pk", "name") if tier(each) == name]
