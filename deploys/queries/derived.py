"""What follows from the facts of deploys, for pages and lists: live time, outcome, kind, and what replaced what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deploys.domain.change_links import ChangeLinks
from deploys.domain.deploy_facts import Deploy as ToldDeploy
from deploys.domain.deploy_facts import DeployFacts, DeployKind, Outcome, deploy_facts
from deploys.domain.environments import tier
from deploys.models import Deploy, Service, Team
from deploys.queries.changes import deploy_timeout

COLUMNS = (
    "change_id", "external_id", "status", "started_at", "finished_at", "live_at", "release__version",
    "artifact__digest", "kind_stated", "has_canary_step", "environment__name", "kind_listed", "outcome_listed", "is_live_listed",
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


def rows_of(service: Service, *, tier_name: str | None = None) -> list[dict[str, Any]]:  # Any: column values
    """The service's deploys as COLUMNS, of one tier or of all. One query."""
    rows = Deploy.objects.filter(service=service).values(*COLUMNS)
    return [row for row in rows if tier_name is None or tier(row["environment__name"]) == tier_name]


def facts_of(
    team: Team,
    service: str,
    rows: Iterable[Mapping[str, Any]],  # Any: column values
    *,
    links: ChangeLinks,
    now: dt.datetime,
) -> dict[int, DeployFacts]:
    """Facts of these rows (COLUMNS) of one service and tier, by the change's key. One query, for the policy."""
    told = {row["change_id"]: each for row in rows if (each := _told(service, row, now))}
    names = {key: each.id for key, each in told.items()}
    facts = deploy_facts(
        told.values(),
        remedy_ids={names[key] for key in links.remedy_ids if key in names},
        first_harm_at={names[key]: at for key, at in links.first_harm_at.items() if key in names},
        as_of=now,
        timeout=deploy_timeout(team),
    )
    return {key: facts[name] for key, name in names.items()}


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
        id=f"{row['external_id']}\0{row['change_id']}",
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


def live_keys(rows: Iterable[Mapping[str, Any]], facts: Mapping[int, DeployFacts]) -> set[int]:  # Any: column values
    """What serves users in each environment of these rows: the succeeded deploy that went live there last."""
    last: dict[str, tuple[dt.datetime, int]] = {}
    for row in rows:
        each = facts.get(row["change_id"])
        if each is None or each.outcome is not Outcome.SUCCEEDED or each.live_at is None:
            continue
        place = str(row["environment__name"])
        last[place] = max((each.live_at, row["change_id"]), last.get(place, (each.live_at, 0)))
    return {key for _, key in last.values()}


def standings(facts: Mapping[int, DeployFacts]) -> dict[int, Standing]:
    """Every deploy of one service and tier with the live one before and after it. Only succeeded ones replace others."""
    walk = sorted(
        (each.live_at, each.deploy.id, key)
        for key, each in facts.items()
        if each.outcome is Outcome.SUCCEEDED and each.live_at is not None
    )
    order = {key: place for place, (_, _, key) in enumerate(walk)}
    found = {}
    for key, each in facts.items():
        place = order.get(key)
        if place is None:
            earlier = [other for at, _, other in walk if at <= (each.live_at or each.deploy.started_at)]
            found[key] = Standing(each, previous=earlier[-1] if earlier else None)
            continue
        later = walk[place + 1] if place + 1 < len(walk) else None
        found[key] = Standing(
            each,
            previous=walk[place - 1][2] if place else None,
            replaced_by=later[2] if later else None,
            live_until=later[0] if later else None,
        )
    return found
