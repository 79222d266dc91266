"""What users felt of two versions of a service, side by side."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Sum
from django.http import HttpRequest
from django.template.loader import render_to_string

from deploys.domain.wording import duration
from deploys.models import Deploy
from deploys.queries.comparison import Comparison
from incidents.models import Issue, IssueCount
from incidents.queries.change_links import links_of_change
from incidents.queries.error_counts import floor_bucket
from incidents.views.panels import NEW_FOR


@dataclass(frozen=True, slots=True)
class Felt:
    """What users felt of one deploy in its first day, or until the other one came."""

    deploy: Deploy
    hours: float
    errors: int
    new_issues: int
    incidents: int

    @property
    def errors_per_hour(self) -> float:
        """Errors an hour."""
        return self.errors / self.hours if self.hours else 0.0


def felt_of_both(request: HttpRequest, found: Comparison) -> str:
    """Two deploys: errors, new issues and incidents of each, over equal times. Six queries."""
    first, last = found.first, found.last
    if first.pk == last.pk:
        return ""
    began = {each.pk: each.live_at or each.finished_at or each.started_at for each in (first, last)}
    until = {first.pk: max(last.started_at, began[first.pk]), last.pk: max(found.ends_at, began[last.pk])}
    length = min([NEW_FOR, *(until[each.pk] - began[each.pk] for each in (first, last))])
    rows = [_felt(each, began[each.pk], length) for each in (found.base, found.head)]
    context = {"rows": rows, "length": duration(length)}
    return render_to_string("incidents/panels/felt_of_both.html", context, request=request)


def _felt(deploy: Deploy, begins_at: dt.datetime, length: dt.timedelta) -> Felt:
    ends_at = begins_at + length
    counts = IssueCount.objects.filter(
        issue__service=deploy.service_id,
        issue__merged_into=None,
        environment=deploy.environment_id,
        bucket_at__gte=floor_bucket(begins_at),
        bucket_at__lt=ends_at,
    )
    fresh = Issue.objects.filter(
        service=deploy.service_id, merged_into=None, first_seen_at__gte=begins_at, first_seen_at__lt=ends_at
    )
    return Felt(
        deploy=deploy,
        hours=length.total_seconds() / 3600,
        errors=counts.aggregate(total=Sum("count"))["total"] or 0,
        new_issues=fresh.count(),
        incidents=len(links_of_change(deploy.change)),
    )
