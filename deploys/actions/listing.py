"""The list index: kind, outcome, live time and what is live, kept beside each deploy for lists and pages, never for metrics.

The kind of a deploy depends on those before it. So a change makes anew what went live at its time or later, on top of what
is listed of the time before: the cost of one more deploy does not grow with the history. A row that waits to be listed
has no outcome; whoever comes next to its service lists it too, so a process that dies after the commit leaves nothing stale.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from deploys import clock
from deploys.domain.change_links import ChangeLinks
from deploys.domain.deploy_facts import DeployFacts
from deploys.domain.environments import tier
from deploys.models import Deploy, Service, Team
from deploys.ports import change_links
from deploys.queries.changes import deploy_timeout
from deploys.queries.chunks import chunks
from deploys.queries.derived import COLUMNS, facts_of, identity

Row = Mapping[str, Any]  # Any: column values, COLUMNS
Since = dt.datetime | None
"""The instant from which a service's index is stale; None: from its first deploy on."""

LISTED: Final = (
    "kind_listed", "outcome_listed", "live_listed_at", "is_stacked_listed", "undone_listed_at"
)  # fmt: skip
MOST_LATER: Final = 2_000
"""With more rows than this to make anew, everything is: looking up what lay below would cost more."""


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
        _refresh_all(pending.since, clock.now(), made=pending.made)
        pending.since, pending.made = {}, set()


def _waiting() -> _Pending | None:
    """What this transaction has made stale so far."""
    return next((call for _, call, *_ in reversed(connection.run_on_commit) if isinstance(call, _Pending)), None)


def refresh_after(deploys: Iterable[Deploy]) -> int:
    """Lists these anew, and what came after them; how many rows changed."""
    return _refresh_all(_stale_since(deploys), clock.now())


def listed(deploy: Deploy) -> tuple[str, str]:
    """Kind and outcome in the index, for who has just recorded it. One query, where it is listed already.

    Another sender of the same message may have committed it, but not yet come to this.
    """
    row = Deploy.objects.filter(pk=deploy.pk).values_list("kind_listed", "outcome_listed")
    kind, outcome = row.get()
    if not outcome:
        refresh_after([deploy])
        kind, outcome = row.get()
    return kind, outcome


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
    since: dict[int, Since] = {}
    for team in Team.objects.filter(deploys__outcome_listed="running").distinct():
        late = Deploy.objects.filter(team=team, outcome_listed="running", started_at__lt=now - deploy_timeout(team))
        since |= _stale_since(late)
    waiting = Deploy.objects.filter(outcome_listed="", started_at__lte=now)
    return _refresh_all(since | _stale_since(waiting), now)


def _stale_since(deploys: Iterable[Deploy]) -> dict[int, Since]:
    """By service, the earliest instant that these rows speak of or were listed at."""
    found: dict[int, Since] = {}
    for deploy in deploys:
        at = min(_instants(deploy.started_at, deploy.finished_at, deploy.live_at, deploy.live_listed_at))
        found[deploy.service_id] = min(at, found.get(deploy.service_id) or at)
    return found


def _instants(*instants: dt.datetime | None) -> list[dt.datetime]:
    return [at for at in instants if at is not None]


def _refresh_all(since: Mapping[int, Since], now: dt.datetime, *, made: Collection[int] = ()) -> int:
    return sum(
        _refresh(service_id, at, now, made) for service_id, at in sorted(since.items(), key=lambda item: item[0])
    )


@transaction.atomic
def _refresh(service_id: int, since: Since, now: dt.datetime, made: Collection[int]) -> int:
    """Locks the service, so that two who list it do so one after the other. No incident knows of deploys just `made`."""
    rows_of_service = Service.objects.select_for_update(no_key=True, of=("self",)).select_related("team")
    service = rows_of_service.filter(pk=service_id).first()
    if service is None:
        return 0
    rows, since = _later(service, since)
    places: dict[str, set[int]] = defaultdict(set)  # all of them: a deploy that was moved leaves one without any row
    for pk, name in service.team.environments.values_list("pk", "name"):
        places[tier(name)].add(pk)
    by_tier: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_tier[tier(row["environment__name"])].append(row)
    known = [row["change_id"] for row in rows if row["change_id"] not in made]
    links = change_links(service.team, known) if known else ChangeLinks()
    return sum(_list_tier(service, places[name], by_tier[name], since, now, links) for name in sorted(places))


def _later(service: Service, since: Since) -> tuple[list[Row], Since]:
    """The rows to make anew: what began or went live at `since` or later, and what waits for its end. One or two queries."""
    rows = Deploy.objects.filter(service=service)
    if since is not None:
        found = _from(rows, since)
        began = min([since, *(row["started_at"] for row in found if row["outcome_listed"] in {"", "running"})])
        if began < since and len(found) <= MOST_LATER:
            found = _from(rows, began)
        if len(found) <= MOST_LATER:
            return found, began
    return list(rows.values(*COLUMNS)), None


def _from(rows: QuerySet[Deploy, Deploy], since: dt.datetime) -> list[Row]:
    """What began or went live at `since` or later, and what waits for its end; one more than MOST_LATER at most."""
    later = rows.filter(Q(live_listed_at__gte=since) | Q(started_at__gte=since) | Q(outcome_listed__in=["", "running"]))
    return list(later.values(*COLUMNS)[: MOST_LATER + 1])


def _list_tier(
    service: Service, places: set[int], rows: Sequence[Row], since: Since, now: dt.datetime, links: ChangeLinks
) -> int:
    """Works out what is to be listed for the rows of one tier, and writes what differs."""
    if not rows:
        _mark_undone(service, places, {}, since)
        return _mark_live(service, places)
    below = _below(service, places, rows, since)
    facts = facts_of(service.team, service.name, rows, links=links, now=now, below=below)
    undone = _undone(service, places, facts, below, since)
    changes = {}
    for row in rows:
        key = row["change_id"]
        said = _said(row, facts.get(key), undone.pop(key, None))
        if said != tuple(row[name] for name in LISTED):
            changes[key] = said
    _write(changes)
    _mark_undone(service, places, undone, since)
    return len(changes) + _mark_live(service, places)


def _said(row: Row, facts: DeployFacts | None, undone_at: dt.datetime | None) -> tuple[object, ...]:
    """The values of LISTED."""
    if facts is None:
        return (row["kind_stated"], "running", None, False, None)
    return (
        str(facts.kind or ""), str(facts.outcome), facts.live_at, facts.is_stacked,
        undone_at,
    )  # fmt: skip


def _below(service: Service, places: Iterable[int], rows: Sequence[Row], since: Since) -> list[Row]:
    """Versions live before `since` that may be gone back to: those of these rows, and the top. One query or more."""
    if since is None:
        return []
    stack = _stack(service, places, since)
    top = stack.order_by("-live_listed_at").values("live_listed_at")[:1]
    found: dict[int, Row] = {row["change_id"]: row for row in stack.filter(live_listed_at=top).values(*COLUMNS)}
    if not found:
        return []
    for column in ("release__version", "artifact__digest"):
        names = sorted({row[column] for row in rows if row[column] is not None})
        for some in chunks(names):
            found |= {row["change_id"]: row for row in stack.filter(**{f"{column}__in": some}).values(*COLUMNS)}
    ordered = sorted(found.values(), key=lambda row: (row["live_listed_at"], identity(row)))
    return [{**row, "kind_stated": "forward", "live_at": row["live_listed_at"], "status": "success"} for row in ordered]


def _stack(service: Service, places: Iterable[int], since: dt.datetime) -> Any:  # Any: a queryset of Deploy
    """Versions that were put live before `since` and had not been undone by then."""
    rows = Deploy.objects.filter(service=service, environment__in=places, is_stacked_listed=True)
    return rows.filter(Q(undone_listed_at=None) | Q(undone_listed_at__gte=since), live_listed_at__lt=since)


def _undone(
    service: Service, places: Iterable[int], facts: Mapping[int, DeployFacts], below: Sequence[Row], since: Since
) -> dict[int, dt.datetime]:
    """When each deploy was taken back, by the change's key: also those below that the facts were not worked out for."""
    keys = {each.deploy.id: key for key, each in facts.items()} | {identity(row): row["change_id"] for row in below}
    under = {identity(row): row for row in below}
    undone: dict[int, dt.datetime] = {}
    back = sorted((each.live_at, each.deploy.id, each) for each in facts.values() if each.live_at and each.undone_ids)
    for at, _, each in back:
        for name in each.undone_ids:
            undone.setdefault(keys[name], at)
    for at, _, each in sorted(
        (e.live_at, e.deploy.id, e) for e in facts.values() if e.live_at and e.returned_to_id in under
    ):
        if since is None:
            continue
        base = under[str(each.returned_to_id)]
        above = _stack(service, places, since).filter(live_listed_at__gte=base["live_listed_at"])
        for pk, live_at, name in above.values_list("pk", "live_listed_at", "external_id"):
            if (live_at, f"{name}\0{pk}") > (base["live_listed_at"], identity(base)):
                undone.setdefault(pk, at)
    return undone


def _mark_undone(service: Service, places: Iterable[int], undone: Mapping[int, dt.datetime], since: Since) -> None:
    """Of rows older than those made anew: forgets what was undone since, and notes what is undone now."""
    if since is None:
        return
    old = Deploy.objects.filter(service=service, environment__in=places, live_listed_at__lt=since)
    old.filter(undone_listed_at__gte=since).exclude(pk__in=list(undone)).update(undone_listed_at=None)
    for key, at in sorted(undone.items()):
        old.filter(pk=key).update(undone_listed_at=at)


def _mark_live(service: Service, places: Iterable[int]) -> int:
    """In each place, what went live last is live; how many rows changed."""
    done = Deploy.objects.filter(service=service, outcome_listed="succeeded", live_listed_at__isnull=False)
    live = set()
    for place in sorted(places):
        last = done.filter(environment=place).order_by("-live_listed_at", "-pk").values_list("pk", flat=True).first()
        if last is not None:
            live.add(last)
    marked = Deploy.objects.filter(service=service, team=service.team_id, environment__in=places, is_live_listed=True)
    gone = marked.exclude(pk__in=live).update(is_live_listed=False)
    return gone + Deploy.objects.filter(pk__in=live, is_live_listed=False).update(is_live_listed=True)


def _write(changes: Mapping[int, tuple[object, ...]]) -> None:
    """One statement for all rows: hundreds of built queries would take longer than the rest together."""
    if not changes:
        return
    fields = [Deploy._meta.get_field(name) for name in LISTED]
    columns = ", ".join(f"{field.column} = %s" for field in fields)  # type: ignore[union-attr]  # all are columns
    rows = [
        [*(field.get_db_prep_save(value, connection) for field, value in zip(fields, said, strict=True)), key]  # type: ignore[union-attr]  # as above
        for key, said in sorted(changes.items())
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {Deploy._meta.db_table} SET {columns} WHERE change_id = %s", rows)  # noqa: S608 -- names from the model
