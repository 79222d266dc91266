"""Issues in lists and one by one."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Left

from deploys.models import Service, Team
from incidents.domain.cursors import Cursor
from incidents.models import ErrorEvent, Incident, Issue, IssueCount

PAGE = 50
DAY = dt.timedelta(hours=24)
SAMPLE = 200


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """What a list is narrowed to; empty texts narrow nothing. `status` empty: open ones; `all`: any."""

    status: str = ""
    service: Service | None = None
    release: str = ""
    text: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out but what is not open."""
        return bool(self.status not in {"", "all"} or self.service or self.release or self.text)


@dataclass(frozen=True, slots=True)
class IssuePage:
    """One page, last seen first."""

    issues: Sequence[Issue]
    next_cursor: Cursor | None


def issue_page(*, team: Team, wanted: IssueFilter, after: Cursor | None = None, size: int = PAGE) -> IssuePage:
    """The team's issues after the cursor with their services. One query."""
    rows = _narrowed(Issue.objects.filter(service__team=team, merged_into=None), wanted)
    if after is not None:
        rows = rows.filter(Q(last_seen_at__lt=after.at) | Q(last_seen_at=after.at, pk__lt=after.key))
    found = list(rows.select_related("service", "assignee").order_by("-last_seen_at", "-pk")[: size + 1])
    shown = found[:size]
    more = len(found) > size
    return IssuePage(issues=shown, next_cursor=Cursor(shown[-1].last_seen_at, shown[-1].pk) if more and shown else None)


def _narrowed(rows: QuerySet[Issue], wanted: IssueFilter) -> QuerySet[Issue]:
    if wanted.status != "all":
        rows = rows.filter(status=wanted.status or Issue.Status.OPEN)
    if wanted.service is not None:
        rows = rows.filter(service=wanted.service)
    if wanted.release:
        rows = rows.filter(Exists(IssueCount.objects.filter(issue=OuterRef("pk"), release=wanted.release)))
    if wanted.text:
        rows = rows.filter(Q(title__icontains=wanted.text) | Q(culprit__icontains=wanted.text))
    return rows


@dataclass(frozen=True, slots=True)
class Share:
    """How many events say one thing."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class IssueDetail:
    """One issue with all that its page shows.

    Releases, environments and hosts are of the 24 hours up to the last event, tags and flags of the last 200 events
    (`sampled_count`): what all of its time would cost grows with it.
    """

    issue: Issue
    counted: int
    releases: Sequence[Share]
    environments: Sequence[Share]
    hosts: Sequence[Share]
    events: Sequence[ErrorEvent]
    sampled_count: int
    tags: Sequence[tuple[str, Sequence[Share]]]
    flags: Sequence[tuple[str, int, int]]
    incidents: Sequence[Incident]


def issue_detail(issue: Issue) -> IssueDetail:
    """The issue with counts, samples and incidents. Four queries."""
    counts = IssueCount.objects.filter(issue=issue, bucket_at__gt=issue.last_seen_at - DAY)
    told: dict[str, Counter[str]] = {"release": Counter(), "environment__name": Counter(), "host": Counter()}
    total = 0
    for row in counts.values(*told).annotate(total=Sum("count")).order_by():
        total += row["total"]
        for name, shares in told.items():
            shares[row[name] or ""] += row["total"]
    events = list(
        ErrorEvent.objects.filter(issue=issue)
        .select_related("environment")
        .annotate(first_words=Left("message", 121))
        .defer("payload", "message")
        .order_by("-timestamp", "-pk")[:SAMPLE]
    )
    return IssueDetail(
        issue=issue,
        counted=total,
        releases=_shares(told["release"]),
        environments=_shares(told["environment__name"]),
        hosts=_shares(told["host"]),
        events=events[:20],
        sampled_count=len(events),
        tags=_tags(events),
        flags=_flags(events),
        incidents=list(Incident.objects.filter(incident_issues__issue=issue).order_by("-begins_at")[:10]),
    )


def _shares(counts: Counter[str], most: int = 12) -> list[Share]:
    return [Share(value, count) for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]]


def _tags(events: Sequence[ErrorEvent]) -> list[tuple[str, list[Share]]]:
    """The tags of these events by name, each with its commonest values."""
    found: dict[str, dict[str, int]] = {}
    for event in events:
        for name, value in (event.tags or {}).items():
            values = found.setdefault(str(name), {})
            values[str(value)] = values.get(str(value), 0) + 1
    return [
        (
            name,
            [Share(value, count) for value, count in sorted(values.items(), key=lambda item: (-item[1], item[0]))[:5]],
        )
        for name, values in sorted(found.items())[:30]
    ]


def _flags(events: Sequence[ErrorEvent]) -> list[tuple[str, int, int]]:
    """(flag, how often it was on, how often off) in these events."""
    found: dict[str, list[int]] = {}
    for event in events:
        for name, is_on in (event.flags or {}).items():
            found.setdefault(str(name), [0, 0])[0 if is_on else 1] += 1
    return [(name, on, off) for name, (on, off) in sorted(found.items())[:50]]


def last_event(issue: Issue, event_id: str = "") -> ErrorEvent | None:
    """The issue's event of this id, else its newest one."""
    rows = ErrorEvent.objects.filter(issue=issue).select_related("environment")
    if event_id:
        return rows.filter(event_id=event_id).first()
    return rows.order_by("-timestamp", "-pk").first()


def new_issues_since(*, service: Service, since: dt.datetime, until: dt.datetime, most: int = 10) -> list[Issue]:
    """Issues of the service first seen in [since, until), most events first."""
    rows = Issue.objects.filter(service=service, merged_into=None, first_seen_at__gte=since, first_seen_at__lt=until)
    return list(rows.order_by("-events_count", "pk")[:most])
