"""The list index: kind, outcome and whether it is live, kept beside each deploy so that lists can be narrowed. Never read by metrics."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.db import connection, transaction

from deploys import clock
from deploys.domain.deploy_facts import DeployFacts
from deploys.domain.environments import tier
from deploys.models import Deploy, Service, Team
from deploys.ports import change_links
from deploys.queries.changes import deploy_timeout
from deploys.queries.chunks import chunks
from deploys.queries.derived import facts_of, live_keys, rows_of


class _Pending:
    """The services whose index one transaction has made stale; called when it commits."""

    def __init__(self) -> None:
        self.service_ids: set[int] = set()

    def __call__(self) -> None:
        refresh_services(sorted(self.service_ids))


def refresh_after_commit(service_ids: Iterable[int]) -> None:
    """Once the transaction has committed, the index of these services is made anew; once, however often this is called."""
    wanted = set(service_ids)
    if not wanted:
        return
    waiting = (call for _, call, *_ in reversed(connection.run_on_commit) if isinstance(call, _Pending))
    pending = next(waiting, None)
    if pending is None:
        pending = _Pending()
        pending.service_ids |= wanted
        transaction.on_commit(pending)
    pending.service_ids |= wanted


def refresh_services(service_ids: Iterable[int], *, now: dt.datetime | None = None) -> int:
    """Makes the index of these services anew; how many rows changed. Three queries a service, and one write if needed."""
    moment = now if now is not None else clock.now()
    count = 0
    for service in Service.objects.filter(pk__in=list(service_ids)).select_related("team"):
        count += _refresh(service, moment)
    return count


def close_overdue(*, now: dt.datetime) -> int:
    """Lists what has run for longer than its team allows as never finished; how many rows changed.

    No message says that a deploy never ended; only time does. Two queries where nothing is overdue.
    """
    overdue: set[int] = set()
    for team in Team.objects.filter(deploys__outcome_listed="running").distinct():
        late = Deploy.objects.filter(team=team, outcome_listed="running", started_at__lt=now - deploy_timeout(team))
        overdue |= set(late.values_list("service_id", flat=True))
    return refresh_services(sorted(overdue), now=now)


def refresh_changes(change_ids: Iterable[int]) -> None:
    """As `refresh_after_commit`, for the services of these deploys: for the room that learns of causes and remedies."""
    wanted = list(change_ids)
    if wanted:
        refresh_after_commit(
            Deploy.objects.filter(change_id__in=wanted).values_list("service_id", flat=True).distinct()
        )


def service_facts(service: Service, *, tier_name: str, now: dt.datetime) -> dict[int, DeployFacts]:
    """Kind, outcome and live time of all the service's deploys in one tier, by the change's key, as of now."""
    rows = rows_of(service, tier_name=tier_name)
    links = change_links(service.team, [row["change_id"] for row in rows])
    return facts_of(service.team, service.name, rows, links=links, now=now)


def _refresh(service: Service, now: dt.datetime) -> int:
    by_tier = defaultdict(list)
    for row in rows_of(service):
        by_tier[tier(row["environment__name"])].append(row)
    moved: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
    for rows in by_tier.values():
        links = change_links(service.team, [row["change_id"] for row in rows])
        facts = facts_of(service.team, service.name, rows, links=links, now=now)
        live = live_keys(rows, facts)
        for row in rows:
            key = row["change_id"]
            each = facts.get(key)
            said = (str(each.kind or ""), str(each.outcome)) if each else (row["kind_stated"], "running")
            if (*said, key in live) != (row["kind_listed"], row["outcome_listed"], row["is_live_listed"]):
                moved[(*said, key in live)].append(key)
    for (kind, outcome, is_live), keys in moved.items():
        for some in chunks(keys):
            Deploy.objects.filter(change_id__in=some).update(
                kind_listed=kind, outcome_listed=outcome, is_live_listed=is_live
            )
    return sum(len(keys) for keys in moved.values())
