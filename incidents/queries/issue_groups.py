"""Issues that people put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Case, IntegerField, Q, Value, When

from incidents.models import Issue, IssueAct

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class IssueGroup:
    """The parts of an issue (none: it stands for itself), and what people did to it, newest first."""

    parts: Sequence[Issue]
    acts: Sequence[IssueAct]


def issue_group(issue: Issue) -> IssueGroup:
    """Two queries."""
    return IssueGroup(
        parts=list(Issue.objects.filter(merged_into=issue).order_by("-events_count", "pk")),
        acts=list(IssueAct.objects.filter(issue=issue).select_related("by").order_by("-at", "-pk")[:20]),
    )


def mergeable_with(issue: Issue, text: str = "") -> list[Issue]:
    """Other issues of the service, at most 50: those of the same type or place first, then last seen. One query."""
    rows = Issue.objects.filter(service=issue.service_id, merged_into=None).exclude(pk=issue.pk)
    rows = rows.exclude(grouping_version=0)
    if text:
        rows = rows.filter(Q(title__icontains=text) | Q(culprit__icontains=text))
    likeness = Case(
        When(type=issue.type, culprit=issue.culprit, then=Value(0)),
        When(Q(type=issue.type) | Q(culprit=issue.culprit), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return list(rows.order_by(likeness, "-last_seen_at", "-pk")[:MOST])
