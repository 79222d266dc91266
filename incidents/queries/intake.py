"""What reached the inbox and what became of it, from counts by hour; raw events are never read for it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from django.db.models import Count, DateTimeField, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from deploys.models import Environment, Service
from incidents.domain.intake import RAW_KEPT, Counted, Lost
from incidents.domain.intake_reasons import EXPIRED
from incidents.models import (
    DeadLetter,
    InboxItem,
    IngestCount,
    Job,
    JobRun,
    LossCount,
    ReleaseSighting,
    TrafficCount,
)
from incidents.queries.backlog import Waiting

MOST_RELEASES = 12


def counted(*, services: Collection[int], begins_at: dt.datetime, ends_at: dt.datetime) -> dict[int, list[Counted]]:
    """What was counted in hours that begin in [begins_at, ends_at), by service. One query."""
    found: dict[int, list[Counted]] = defaultdict(list)
    rows = IngestCount.objects.filter(service__in=services, hour_at__gte=begins_at, hour_at__lt=ends_at)
    for row in rows.order_by():
        found[row.service_id].append(Counted(row.hour_at, row.item, row.outcome, row.quantity))
    return found


def counted_with_expired(
    *, services: Collection[int], begins_at: dt.datetime, ends_at: dt.datetime
) -> dict[int, list[Counted]]:
    """What was counted in hours that begin in [begins_at, ends_at), by service, and what came then and has expired.

    The latter is counted RAW_KEPT later. One query, of one range of hours.
    """
    found: dict[int, list[Counted]] = defaultdict(list)
    rows = IngestCount.objects.filter(
        Q(hour_at__lt=ends_at) | Q(outcome__in=EXPIRED),
        service__in=services,
        hour_at__gte=begins_at,
        hour_at__lt=ends_at + RAW_KEPT,
    )
    for row in rows.order_by():
        at = row.hour_at - RAW_KEPT if row.outcome in EXPIRED else row.hour_at
        if begins_at <= at < ends_at:
            found[row.service_id].append(Counted(row.hour_at, row.item, row.outcome, row.quantity))
    return found


def lost(*, services: Collection[int], begins_at: dt.datetime, ends_at: dt.datetime) -> dict[int, list[Lost]]:
    """What SDKs said they lost in hours that begin in [begins_at, ends_at), by service. One query."""
    found: dict[int, list[Lost]] = defaultdict(list)
    rows = LossCount.objects.filter(service__in=services, hour_at__gte=begins_at, hour_at__lt=ends_at)
    for row in rows.order_by():
        found[row.service_id].append(Lost(row.hour_at, row.reason, row.category, row.quantity))
    return found


def waiting(*, numbers: Collection[int]) -> dict[int, Waiting]:
    """What waits in the inbox by project number; projects with nothing waiting are left out. Two queries of the inbox."""
    heads = InboxItem.objects.filter(project__in=numbers).values("project").annotate(total=Count("pk"), head=Min("pk"))
    found = {
        project: (total, head) for project, total, head in heads.order_by().values_list("project", "total", "head")
    }
    if not found:
        return {}
    ids = [head for _, head in found.values()]
    instants = dict(InboxItem.objects.filter(pk__in=ids).values_list("pk", "received_at"))
    return {
        project: Waiting(total, instants[head])
        for project, (total, head) in found.items()
        if head in instants  # the digest goes on while this is read
    }


def dead_counts(*, numbers: Collection[int]) -> dict[int, int]:
    """Dead letters by project number. One query of the inbox, answered by an index."""
    rows = DeadLetter.objects.filter(project__in=numbers).values("project").annotate(total=Count("pk")).order_by()
    return dict(rows.values_list("project", "total"))


def last_heard(*, service: Service) -> Sequence[ReleaseSighting]:
    """Releases in errors and sessions with their environments, the last heard first, at most MOST_RELEASES. One query."""
    rows = ReleaseSighting.objects.filter(service=service).select_related("environment")
    return list(rows.order_by("-last_seen_at", "-pk")[:MOST_RELEASES])


def last_sessions(*, service: Service) -> Mapping[str, dt.datetime]:
    """The start of the last session or request that was counted, by environment. One query, one row of an index each."""
    last = TrafficCount.objects.filter(service=service, environment=OuterRef("pk")).order_by("-at").values("at")[:1]
    rows = Environment.objects.filter(team=service.team_id).annotate(last_at=Subquery(last)).order_by("name")
    return {name: at for name, at in rows.values_list("name", "last_at") if at is not None}


def last_check_in(*, service: Service) -> dt.datetime | None:
    """When a job of the service was last heard of; what it missed is no sign of life. One query, a row of an index a job."""
    heard = JobRun.objects.filter(job=OuterRef("pk")).exclude(status=JobRun.Status.MISSED).order_by("-started_at")
    last = heard.annotate(at=Coalesce("told_at", "started_at")).values("at")[:1]
    rows = Job.objects.filter(service=service).annotate(heard_at=Subquery(last, output_field=DateTimeField()))
    return max((at for at in rows.values_list("heard_at", flat=True) if at is not None), default=None)
