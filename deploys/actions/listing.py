"""When the list index is made anew (what it is: `deploys.actions.list_index`).

A row that waits to be listed has no outcome; whoever comes next to its service lists it too, so a process that dies after
the commit leaves nothing stale.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import connection, transaction

from deploys import clock
from deploys.actions.list_index import Since, relist
from deploys.models import Deploy, Team
from deploys.queries.changes import deploy_timeout
from deploys.queries.chunks import chunks
from deploys.queries.prepared import Prepared

LATELY: Final = dt.timedelta(days=1)
MOST_TOGETHER: Final = 32
"""Services that are listed in one transaction: as many as posted deploys are recorded in one (`deploys.actions.turns`)."""


_listed: Final = Prepared(
    lambda keys: Deploy.objects.filter(pk__among=keys).values("pk", "kind_listed", "outcome_listed"), keys=[-101]
)


class _Pending:
    """What one transaction has made stale; called when it commits."""

    def __init__(self) -> None:
        self.since: dict[int, Since] = {}
        self.made: set[int] = set()

    def add(self, since: Mapping[int, Since]) -> None:
        for service_id, at in since.items():
            known = self.since.get(service_id, at)
            self.since[service_id] = None if at is None or known is None else min(at, known)

    def __call__(self) -> None:
        _refresh_all(self.since, clock.now())


def refresh_after_commit(deploys: Iterable[Deploy], *, made: Iterable[Deploy] = ()) -> None:
    """Once the transaction has committed, these are listed anew, and what came after them; once, however often called.

    `made` are those of them that this transaction has made.
    """
    since = _stale_since(deploys)
    if not since:
        return
    pending = _waiting()
    if pending is None:
        pending = _Pending()
        pending.add(since)
        transaction.on_commit(pending)
    pending.add(since)
    pending.made.update(deploy.pk for deploy in made)


def refresh_now() -> None:
    """Lists inside this transaction what would be listed after it: one commit less, which is one write to the disk.

    Only where a transaction locks the whole database. Elsewhere it waits for the commit: the locks of the team and of the
    service, held at once, could meet those of a transaction that takes them in the other order.
    """
    pending = None if connection.features.has_select_for_update else _waiting()
    if pending is not None:
        relist(pending.since, now=clock.now(), made=pending.made)
        pending.since, pending.made = {}, set()


def _waiting() -> _Pending | None:
    """What this transaction has made stale so far."""
    return next((call for _, call, *_ in reversed(connection.run_on_commit) if isinstance(call, _Pending)), None)


def refresh_after(deploys: Iterable[Deploy]) -> int:
    """Lists these anew, and what came after them; how many rows changed."""
    return _refresh_all(_stale_since(deploys), clock.now())


def listed(deploys: Sequence[Deploy]) -> None:
    """Has these rows say how they are listed now, for who has just recorded them. One query, where they are listed already.

    Another sender of the same message may have committed it, but not yet come to this.
    """
    said = _words([deploy.pk for deploy in deploys])
    waiting = {deploy.pk: deploy for deploy in deploys if not said[deploy.pk][1]}
    if waiting:
        refresh_after(waiting.values())
        said.update(_words(list(waiting)))
    for deploy in deploys:
        deploy.kind_listed, deploy.outcome_listed = said[deploy.pk]


def _words(keys: list[int]) -> dict[int, tuple[str, str]]:
    """Kind and outcome, as listed, by the key."""
    return {row["pk"]: (row["kind_listed"], row["outcome_listed"]) for row in _listed(keys=keys)}


def refresh_services(service_ids: Iterable[int], *, now: dt.datetime | None = None) -> int:
    """Makes the whole index of these services anew; how many rows changed."""
    return _refresh_all(dict.fromkeys(service_ids), now if now is not None else clock.now())


def refresh_changes(change_ids: Iterable[int]) -> None:
    """As `refresh_after_commit`, for these deploys: for the room that learns of causes and remedies."""
    wanted = sorted(set(change_ids))
    for some in chunks(wanted):
        rows = Deploy.objects.filter(change_id__in=some)
        found = list(rows.only("service", "started_at", "finished_at", "live_at", "live_listed_at"))
        rows.update(outcome_listed="")
        refresh_after_commit(found)


def close_overdue(*, now: dt.datetime) -> int:
    """Lists what has run for longer than its team allows as never finished, and what still waits; how many rows changed.

    No message says that a deploy never ended; only time does. Three queries where nothing is overdue.
    """
    stale = list(Deploy.objects.filter(outcome_listed="", started_at__lte=now))
    for team in Team.objects.filter(deploys__outcome_listed="running").distinct():
        stale += Deploy.objects.filter(team=team, outcome_listed="running", started_at__lt=now - deploy_timeout(team))
    return _refresh_all(_stale_since(stale), now)


def _stale_since(deploys: Iterable[Deploy]) -> dict[int, Since]:
    """By service, the earliest instant that these rows speak of or were listed at."""
    found: dict[int, Since] = {}
    for deploy in deploys:
        at = min(_instants(deploy.started_at, deploy.finished_at, deploy.live_at, deploy.live_listed_at))
        found[deploy.service_id] = min(at, found.get(deploy.service_id) or at)
    return found


def _instants(*instants: dt.datetime | None) -> list[dt.datetime]:
    return [at for at in instants if at is not None]


def _refresh_all(since: Mapping[int, Since], now: dt.datetime) -> int:
    """One transaction for services of which only the last day is stale, as when deploys are posted; one for each of the others:
    a walk over years of one must not hold up those who write about others.
    """
    recent = sorted(pk for pk, at in since.items() if at is not None and now - at <= LATELY)
    older = sorted(since.keys() - set(recent))
    parts = [*chunks(recent, MOST_TOGETHER), *([service_id] for service_id in older)]
    return sum(relist({service_id: since[service_id] for service_id in part}, now=now) for part in parts)
