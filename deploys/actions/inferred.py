"""Deploys nobody reported: recorded from what was seen, marked as such, taken back when the report comes after all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from deploys.actions.deploys import record
from deploys.actions.facts import lock_team
from deploys.domain.changes import DeployReport
from deploys.domain.releases import is_same_version
from deploys.models import INFERRED, Change, Deploy, Environment, FactOrigin, Service
from deploys.queries.prepared import PreparedRows


def _standing(since: dt.datetime) -> QuerySet[Deploy, Deploy]:
    """What was inferred since, and not taken back."""
    rows = Deploy.objects.select_related("team", "service", "environment", "release")
    return rows.filter(source=INFERRED, started_at__gte=since).exclude(status=Deploy.Status.FAILURE)


_SINCE: Final = dt.datetime(1971, 2, 3, tzinfo=dt.UTC)
_inferred: Final = PreparedRows(_standing, since=_SINCE)
_inferred_of: Final = PreparedRows(
    lambda since, changes: _standing(since).filter(service__in=Change.objects.filter(pk__among=changes).values("service")),
    since=_SINCE, changes=[-101],
)  # fmt: skip
EARLY: Final = dt.timedelta(hours=1)
"""A deploy may be reported with a start this long after its release was first seen: clocks and canaries differ."""
LATE: Final = dt.timedelta(days=7)
"""A release seen this long after the start of a deploy may still be that deploy's."""


@transaction.atomic
def record_inferred(
    *,
    service: Service,
    environment: Environment,
    release: str,
    at: dt.datetime,
    why: str,
    now: dt.datetime,
    is_over: bool = True,
) -> Deploy | None:
    """Records that this release took over at `at`; None when that is known already. Idempotent.

    While it only appears (`is_over` False: a canary, a roll-out that still runs) it is recorded as running, and finished
    once it has taken over.
    """
    lock_team(service.team)
    rows = Deploy.objects.select_related("release").filter(
        service=service, environment=environment, started_at__gte=at - LATE, started_at__lte=at + EARLY
    )
    last = rows.order_by("-started_at", "-pk").first()
    running = None
    if last is not None and last.release is not None and is_same_version(last.release.version, release):
        if not is_over or not last.is_inferred or last.status != Deploy.Status.IN_PROGRESS:
            return None
        running = last
    report = DeployReport(
        id=running.external_id if running is not None else f"{release[:150]} {at:%Y-%m-%dT%H:%M:%SZ}",
        service=service.name,
        environment=environment.name,
        status="success" if is_over else "in_progress",
        started_at=running.started_at if running is not None else at,
        live_at=at if is_over else None,
        finished_at=at if is_over else None,
        release=release,
        description=why,
    )
    return record(
        team=service.team, report=report, source=INFERRED, received_at=now, origin=FactOrigin.MODEL
    ).deploy  # fmt: skip


def absorb_inferred(*, now: dt.datetime, change_ids: Sequence[int] | None = None) -> int:
    """Takes back what was inferred for lack of a report that has come since, in the services of these changes or in all.
    How many.

    What is taken back stays as a deploy that never took traffic, which is how the history format cancels one. One query
    where nothing was inferred in the last days; safe to run at any time.
    """
    since = now - 2 * LATE
    rows = _inferred(since=since) if change_ids is None else _inferred_of(since=since, changes=list(change_ids))
    return sum(_absorb(row, now) for row in sorted(rows, key=lambda row: (row.started_at, row.pk)))


def reported_for(inferred: Deploy) -> Deploy | None:
    """The deploy that somebody reported of what was inferred; None while nobody has. One query."""
    near = Deploy.objects.select_related("release").filter(
        service=inferred.service_id,
        environment=inferred.environment_id,
        started_at__gte=inferred.started_at - LATE,
        started_at__lte=inferred.started_at + EARLY,
    )
    version = inferred.release.version if inferred.release else ""
    return next(
        (
            each
            for each in near.exclude(source=INFERRED).order_by("-started_at", "-pk")
            if each.release is not None and is_same_version(each.release.version, version)
        ),
        None,
    )


def _absorb(inferred: Deploy, now: dt.datetime) -> bool:
    reported = reported_for(inferred)
    if reported is None:
        return False
    report = DeployReport(
        id=inferred.external_id,
        service=inferred.service.name,
        environment=inferred.environment.name,
        status="failure",
        finished_at=inferred.finished_at or inferred.started_at,
        description=f"Inferred from errors and sessions, and reported later as {reported.external_id}.",
        withdrawn=frozenset({"live_at"}),
    )
    record(team=inferred.team, report=report, source=INFERRED, received_at=now, origin=FactOrigin.MODEL)
    return True
