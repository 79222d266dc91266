"""The list index: kind, outcome, live time and what is live, kept beside each deploy for lists and pages.

Metrics read of it only which versions were live before a window, where it is up to date.

The kind of a deploy depends on those before it. So a change makes anew what went live at its time or later, on top of what
is listed of the time before: the cost of one more deploy does not grow with the history, and several services made anew
at once share most statements.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from deploys.domain.change_links import ChangeLinks
from deploys.domain.deploy_facts import DeployFacts
from deploys.domain.environments import tier
from deploys.models import Deploy, Environment, Service, Team
from deploys.ports import change_links
from deploys.queries.changes import deploy_timeout
from deploys.queries.chunks import chunks
from deploys.queries.derived import COLUMNS, facts_of, identity
from deploys.queries.prepared import Prepared, PreparedRows

Row: TypeAlias = dict[str, Any]  # Any: column values, COLUMNS
Since: TypeAlias = dt.datetime | None
"""The instant from which a service's index is stale; None: from its first deploy on."""

LISTED: Final = (
    "kind_listed", "outcome_listed", "live_listed_at", "is_stacked_listed", "undone_listed_at", "is_live_listed",
)  # fmt: skip
FEW: Final = 5
"""Versions that are asked for one by one: most deploys bring one."""
MOST_LATER: Final = 2_000
"""With more rows than this to make anew, everything is: looking up what lay below would cost more."""


def _stack(service: int, places: Iterable[int], since: dt.datetime) -> QuerySet[Deploy, Deploy]:
    """Versions that were put live before `since` and had not been undone by then."""
    rows = Deploy.objects.filter(service=service, environment__in=places, is_stacked_listed=True)
    return rows.filter(Q(undone_listed_at=None) | Q(undone_listed_at__gte=since), live_listed_at__lt=since)


def _later_rows(service: int, since: dt.datetime) -> Any:  # Any: a queryset of Row
    """What began or went live at `since` or later, and what waits for its end; one more than MOST_LATER at most."""
    later = Q(live_listed_at__gte=since) | Q(started_at__gte=since) | Q(outcome_listed__in=["", "running"])
    return Deploy.objects.filter(later, service=service).values(*COLUMNS)[: MOST_LATER + 1]


def _top_rows(service: int, place: int, since: dt.datetime) -> Any:  # Any: a queryset of Row
    """The top of the stack: several, where they went live at the same instant."""
    stack = _stack(service, [place], since)
    top = stack.order_by("-live_listed_at").values("live_listed_at")[:1]
    return stack.filter(live_listed_at=top).values(*COLUMNS)


def _version_rows(service: int, place: int, since: dt.datetime, name: str) -> Any:  # Any: a queryset of Row
    return _stack(service, [place], since).filter(release__version=name).values(*COLUMNS)


def _digest_rows(service: int, place: int, since: dt.datetime, name: str) -> Any:  # Any: a queryset of Row
    return _stack(service, [place], since).filter(artifact__digest=name).values(*COLUMNS)


def _locked(keys: Sequence[int]) -> QuerySet[Service, Service]:
    rows = Service.objects.select_for_update(no_key=True, of=("self",)).select_related("team").order_by("pk")
    return rows.filter(pk__among=keys)


def _shown_live(teams: Sequence[int], services: Sequence[int]) -> Any:  # Any: a queryset of keys
    rows = Deploy.objects.filter(team_id__among=teams, service_id__among=services, is_live_listed=True)
    return rows.values("pk")


def _taken_back(services: Sequence[int], since: dt.datetime) -> Any:  # Any: a queryset of what is asked of each
    rows = Deploy.objects.filter(
        service_id__among=services, undone_listed_at__gte=since, live_listed_at__isnull=False
    )  # fmt: skip
    return rows.values("pk", "service", "live_listed_at", "undone_listed_at")


_AT: Final[Row] = {"service": -101, "place": -102, "since": dt.datetime(1971, 2, 3, tzinfo=dt.UTC)}
_services: Final = PreparedRows(_locked, keys=[-101])
_places: Final = Prepared(lambda team: Environment.objects.filter(team=team).values("pk", "name"), team=-101)
_lives: Final = Prepared(_shown_live, teams=[-101], services=[-102])
_undone_since: Final = Prepared(_taken_back, services=[-101], since=_AT["since"])
_from: Final = Prepared(_later_rows, service=_AT["service"], since=_AT["since"])
_tops: Final = Prepared(_top_rows, **_AT)
_of_version: Final = Prepared(_version_rows, **_AT, name="(name)")
_of_digest: Final = Prepared(_digest_rows, **_AT, name="(name)")


@dataclass(frozen=True, slots=True)
class _Around:
    """What the services of one team share. `places` are its environments, by tier."""

    team: Team
    places: Mapping[str, set[int]]
    timeout: dt.timedelta


@dataclass(slots=True)
class _Work:
    """What is to be listed of one service, before it is written: values of LISTED without the last, by the change's key.

    `undone` are rows older than those made anew that are taken back now, with the instant.
    """

    service: Service
    since: Since
    rows: dict[int, Row] = field(default_factory=dict)
    said: dict[int, tuple[object, ...]] = field(default_factory=dict)
    undone: dict[int, dt.datetime] = field(default_factory=dict)


@transaction.atomic
def relist(since: Mapping[int, Since], *, now: dt.datetime, made: Collection[int] = ()) -> int:
    """Makes the index of these services anew; how many rows changed. No incident knows of deploys just `made`.

    Locks the services, so that two who list one do so one after the other.
    """
    services = _services(keys=sorted(since))
    around = {service.team_id: service.team for service in services}
    known = {pk: _around(team) for pk, team in around.items()}
    works = [_work(service, since[service.pk]) for service in services]
    if not works:
        return 0
    links = {pk: _links(team, works, made) for pk, team in around.items()}
    for work in works:
        _work_out(work, known[work.service.team_id], links[work.service.team_id], now)
    live = _live(works, known)
    return _write(works, live) + _mark_old(works, live)


def _around(team: Team) -> _Around:
    """Two queries."""
    places: dict[str, set[int]] = defaultdict(set)  # all of them: a deploy that was moved leaves one without any row
    for row in _places(team=team.pk):
        places[tier(row["name"])].add(row["pk"])
    return _Around(team, places, deploy_timeout(team))


def _work(service: Service, since: Since) -> _Work:
    rows, since = _later(service, since)
    return _Work(service, since, {row["change_id"]: row for row in rows})


def _links(team: Team, works: Sequence[_Work], made: Collection[int]) -> ChangeLinks:
    """What incidents say of the team's deploys among these, however many services they are of."""
    keys = [key for work in works if work.service.team_id == team.pk for key in work.rows if key not in made]
    return change_links(team, keys) if keys else ChangeLinks()


def _work_out(work: _Work, around: _Around, links: ChangeLinks, now: dt.datetime) -> None:
    by_tier: dict[str, list[Row]] = defaultdict(list)
    for row in work.rows.values():
        by_tier[tier(row["environment__name"])].append(row)
    for name in sorted(by_tier):
        _list_tier(work, around, around.places[name], by_tier[name], now, links)


def _later(service: Service, since: Since) -> tuple[list[Row], Since]:
    """The rows to make anew: what began or went live at `since` or later, and what waits for its end. One query or a few.

    A sender whose clock is wrong may end a deploy before its start: such a row, found by its start, went live before
    `since`, and what went live between comes along.
    """
    while since is not None:
        found = _from(service=service.pk, since=since)
        if len(found) > MOST_LATER:
            break
        began = min([since, *(at for row in found for at in _speaks_of(row))])
        if began == since:
            return found, since
        since = began
    return list(Deploy.objects.filter(service=service).values(*COLUMNS)), None


def _speaks_of(row: Row) -> list[dt.datetime]:
    """The instants from which on this row may change what is listed."""
    names = ("started_at", "finished_at", "live_at") if row["outcome_listed"] in {"", "running"} else ()
    return [row[name] for name in (*names, "live_listed_at") if row[name] is not None]


def _list_tier(
    work: _Work, around: _Around, places: Collection[int], rows: Sequence[Row], now: dt.datetime, links: ChangeLinks
) -> None:
    """Works out what is to be listed for the rows of one tier."""
    below = _below(work.service, places, rows, work.since)
    facts = facts_of(work.service.name, rows, links=links, now=now, timeout=around.timeout, below=below)
    undone = _undone(work.service, places, facts, below, work.since)
    for row in rows:
        key = row["change_id"]
        work.said[key] = _said(row, facts.get(key), undone.pop(key, None))
    work.undone.update(undone)


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
    found: dict[int, Row] = {}
    for place in places:
        found |= {row["change_id"]: row for row in _tops(service=service.pk, place=place, since=since)}
    if not found:
        return []
    for column, ask in (("release__version", _of_version), ("artifact__digest", _of_digest)):
        names = sorted({row[column] for row in rows if row[column] is not None})
        for name in names if len(names) <= FEW else ():
            for place in places:
                same = ask(service=service.pk, place=place, since=since, name=name)
                found |= {row["change_id"]: row for row in same}
        for some in chunks(names) if len(names) > FEW else ():
            same = _stack(service.pk, places, since).filter(**{f"{column}__in": some}).values(*COLUMNS)
            found |= {row["change_id"]: row for row in same}
    ordered = sorted(found.values(), key=lambda row: (row["live_listed_at"], identity(row)))
    return [{**row, "kind_stated": "forward", "live_at": row["live_listed_at"], "status": "success"} for row in ordered]


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
        above = _stack(service.pk, places, since).filter(live_listed_at__gte=base["live_listed_at"])
        for pk, live_at, name in above.values_list("pk", "live_listed_at", "external_id"):
            if (live_at, f"{name}\0{pk}") > (base["live_listed_at"], identity(base)):
                undone.setdefault(pk, at)
    return undone


def _live(works: Sequence[_Work], around: Mapping[int, _Around]) -> dict[int, int]:
    """What is live: by the key of the change, the service. In each place, what went live last.

    Looked up are only places in which nothing that was made anew is live. One query for all of them.
    """
    live: dict[int, int] = {}
    asked: list[tuple[int, int, dt.datetime]] = []
    for work in works:
        last: dict[int, tuple[dt.datetime, int]] = {}
        for key, (_, outcome, at, *_) in work.said.items():
            if outcome == "succeeded" and isinstance(at, dt.datetime):
                place = work.rows[key]["environment_id"]
                last[place] = max(last.get(place, (at, key)), (at, key))
        live.update({key: work.service.pk for _, key in last.values()})
        if work.since is not None:
            every = set[int]().union(*around[work.service.team_id].places.values())
            asked += [(work.service.pk, place, work.since) for place in sorted(every - last.keys())]
    live.update(_last_before(asked))
    return live


def _last_before(asked: Sequence[tuple[int, int, dt.datetime]]) -> dict[int, int]:
    """What went live last before an instant, of rows that keep their listing; by the key of the change, the service.

    One statement for a hundred places: each part ends at the first row of its index.
    """
    table, at = Deploy._meta.db_table, Deploy._meta.get_field("live_listed_at")
    part = (
        f"SELECT * FROM (SELECT change_id, service_id FROM {table} WHERE service_id = %s AND environment_id = %s"  # noqa: S608 -- names from the model
        f" AND outcome_listed = 'succeeded' AND live_listed_at < %s"
        " ORDER BY live_listed_at DESC, change_id DESC LIMIT 1) AS place"
    )
    found: dict[int, int] = {}
    for some in chunks(asked, 100):
        values = [
            value
            for service, place, since in some
            for value in (service, place, at.get_db_prep_save(since, connection))
        ]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join([part] * len(some)), values)
            found.update(cursor.fetchall())
    return found


def _write(works: Sequence[_Work], live: Collection[int]) -> int:
    """Writes what is listed otherwise than before; how many rows. One statement: hundreds of built queries would take longer
    than all the rest.
    """
    changes = {
        key: (*said, key in live)
        for work in works
        for key, said in work.said.items()
        if (*said, key in live) != tuple(work.rows[key][name] for name in LISTED)
    }
    if not changes:
        return 0
    fields = [Deploy._meta.get_field(name) for name in LISTED]
    columns = ", ".join(f"{field.column} = %s" for field in fields)  # type: ignore[union-attr]  # all are columns
    rows = [
        [*(field.get_db_prep_save(value, connection) for field, value in zip(fields, said, strict=True)), key]  # type: ignore[union-attr]  # as above
        for key, said in sorted(changes.items())
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {Deploy._meta.db_table} SET {columns} WHERE change_id = %s", rows)  # noqa: S608 -- names from the model
    return len(changes)


def _mark_old(works: Sequence[_Work], live: Mapping[int, int]) -> int:
    """Of rows older than those made anew: which of them is live, and what was taken back; how many became live or ceased to be.

    Two queries, and statements for what has changed.
    """
    anew = {key for work in works for key in work.rows}
    services = {work.service.pk: work for work in works}
    teams = sorted({work.service.team_id for work in works})
    shown = {row["pk"] for row in _lives(teams=teams, services=sorted(services))} - anew
    gone, come = shown - live.keys(), live.keys() - anew - shown
    for some in chunks(sorted(gone)):
        Deploy.objects.filter(pk__in=some).update(is_live_listed=False)
    for some in chunks(sorted(come)):
        Deploy.objects.filter(pk__in=some).update(is_live_listed=True)
    _mark_undone({key: work for key, work in services.items() if work.since is not None}, anew)
    return len(gone) + len(come)


def _mark_undone(works: Mapping[int, _Work], anew: Collection[int]) -> None:
    """Forgets what was taken back since, and notes what is taken back now."""
    if not works:
        return
    first = min(work.since for work in works.values() if work.since is not None)
    rows = [tuple(row.values()) for row in _undone_since(services=sorted(works), since=first)]
    forgotten = [
        key
        for key, service, *instants in rows
        if key not in anew and key not in works[service].undone and _is_forgotten(works[service].since, *instants)
    ]
    for some in chunks(forgotten):
        Deploy.objects.filter(pk__in=some).update(undone_listed_at=None)
    by_instant: dict[dt.datetime, list[int]] = defaultdict(list)
    for work in works.values():
        for key, at in work.undone.items():
            by_instant[at].append(key)
    for at, keys in sorted(by_instant.items()):
        for some in chunks(keys):
            Deploy.objects.filter(pk__in=some).update(undone_listed_at=at)


def _is_forgotten(since: Since, live_at: dt.datetime | None, undone_at: dt.datetime | None) -> bool:
    """Whether a row that was live before was taken back by what is made anew."""
    return None not in (since, live_at, undone_at) and live_at < since <= undone_at  # type: ignore[operator]  # none is None
