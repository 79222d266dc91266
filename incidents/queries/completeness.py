"""What is missing from the numbers of a window. Counts by hour and dead letters only, never events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Count, Min

from deploys.domain.instants import floor_hour
from deploys.models import Service
from incidents.domain.completeness import Gap, Missing, missing_of
from incidents.models import DeadLetter
from incidents.queries.intake import counted_with_expired, lost


def missing_in(*, services: Sequence[Service], begins_at: dt.datetime, ends_at: dt.datetime) -> list[Missing]:
    """Of these services in the hours that touch [begins_at, ends_at). Three queries, whatever the number of services."""
    keys = [each.pk for each in services]
    counts = counted_with_expired(services=keys, begins_at=floor_hour(begins_at), ends_at=ends_at)
    losses = lost(services=keys, begins_at=floor_hour(begins_at), ends_at=ends_at)
    names = {each.number: each.name for each in services}
    letters = (
        DeadLetter.objects.filter(project__in=names, failed_at__gte=begins_at, failed_at__lt=ends_at)
        .values("project")
        .annotate(total=Count("pk"), first_at=Min("failed_at"))
        .order_by()
    )
    found = [Missing(names[row["project"]], Gap.DEAD, row["first_at"], row["total"]) for row in letters]
    for each in services:
        found += missing_of(each.name, counts[each.pk], losses[each.pk])
    return found
