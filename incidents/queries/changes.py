"""Production changes as attribution reads them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace

from deploys.models import INFERRED, Deploy, FlagChange, Team, Tier
from deploys.queries.chunks import chunks
from incidents.domain.evidence import Change, releases_before

BACK_DAYS = 14
LIMIT = 2000


def changes_around(team: Team, since: dt.datetime, until: dt.datetime) -> list[Change]:
    """Deploys and flag changes of production that began in [since, until], by (start, id). Three queries.

    The id is the change's public id. The release before a deploy is known as far as its predecessors lie in the range.
    """
    found = _deploys(team, since, until) + _flags(team, since, until)
    return sorted(found, key=lambda change: (change.start, change.id))


def _deploys(team: Team, since: dt.datetime, until: dt.datetime) -> list[Change]:
    rows = Deploy.objects.filter(
        team=team, environment__tier=Tier.PRODUCTION, started_at__gte=since, started_at__lte=until
    ).exclude(source=INFERRED, status=Deploy.Status.FAILURE)  # reported after all: the report stands for it
    columns = (
        "change__public_id", "service__name", "started_at", "finished_at", "status", "release__version", "strategy",
        "percent", "files", "kind_stated",
    )  # fmt: skip
    by_service: dict[str, list[Change]] = defaultdict(list)
    for pk, service, started, finished, status, release, strategy, percent, files, kind in rows.order_by(
        "-started_at"
    ).values_list(*columns)[:LIMIT]:
        by_service[service].append(
            Change(
                id=str(pk),
                kind="deploy",
                services=(service,),
                start=started.timestamp(),
                finish=finished.timestamp() if finished else None,
                status=status,
                release=release or "",
                strategy=strategy,
                percent=percent,
                files=tuple(str(path) for path in files) if files is not None else None,
                stated_kind=kind,
            )
        )
    done: list[Change] = []
    for changes in by_service.values():
        changes.sort(key=lambda change: (change.start, change.id))
        before = releases_before(changes)
        done += [replace(change, before=before[change.id]) for change in changes]
    return done


def _flags(team: Team, since: dt.datetime, until: dt.datetime) -> list[Change]:
    rows = FlagChange.objects.filter(
        team=team, change__environment__tier=Tier.PRODUCTION, change__at__gte=since, change__at__lte=until
    )
    columns = ("pk", "change__public_id", "change__at", "flag__key", "old_percent", "new_percent", "segment")
    found = list(rows.order_by("-change__at").values_list(*columns)[:LIMIT])
    services: dict[int, list[str]] = defaultdict(list)
    for some in chunks([pk for pk, *_ in found]):
        named = FlagChange.services.through._default_manager.filter(flagchange__in=some)
        for pk, name in named.values_list("flagchange", "service__name"):
            services[pk].append(name)
    return [
        Change(
            id=str(public_id),
            kind="flag",
            services=tuple(sorted(services[pk])),
            start=at.timestamp(),
            key=key,
            old=old,
            new=new,
            segment={str(k): str(v) for k, v in segment.items()} if segment else None,
        )
        for pk, public_id, at, key, old, new, segment in found
    ]
