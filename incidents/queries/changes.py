"""Production changes as attribution reads them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace

from deploys.models import INFERRED, Deploy, FlagChange, Team, Tier
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
    ).select_related("change", "flag")
    return [
        Change(
            id=str(row.change.public_id),
            kind="flag",
            services=tuple(sorted(service.name for service in row.services.all())),
            start=row.change.at.timestamp(),
            key=row.flag.key,
            old=row.old_percent,
            new=row.new_percent,
            segment={str(k): str(v) for k, v in row.segment.items()} if row.segment else None,
        )
        for row in rows.prefetch_related("services").order_by("-change__at")[:LIMIT]
    ]
