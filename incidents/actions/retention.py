"""Deletes what is no longer worth its room: reports by age and by use, and raw bodies after two weeks. Counts stay.

Work is done in slices: one short transaction each, then a pause as long as the slice took, so that whoever else wants to
write waits for one slice at most. Everything is found anew each time and nothing is noted in between, so it may be killed
anywhere, and two may run at once. On SQLite the freed pages are used again by later reports; the file does not shrink, but
it stops growing. On PostgreSQL autovacuum does the same.

What is kept of an issue that has more reports than it may keep: its first one, the newest RECENT, those that stand for an
incident, and of all others a sample that is spread over time, releases and environments.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db import connection, models, transaction

from deploys import failpoints
from deploys.actions.own_flags import OwnFlag, is_on
from deploys.models import Service, Team
from incidents.domain.retention import Report, level, spread
from incidents.models import ErrorEvent, IncidentIssue, Issue

logger = logging.getLogger(__name__)

#: Reports looked at in one transaction.
SLICE: Final = 500
#: The newest of an issue are never thinned out: detection reads so many of them one by one, and counts the others.
RECENT: Final = 2_100
#: The first and the last of an issue in the time of an incident that are kept for as long as the incident is known.
EVIDENCE: Final = 101
#: An issue of an incident that is not closed may hold this many times as much: its people are counted from its reports.
OPEN_FACTOR: Final = 10
#: Issues are thinned to this part of what they may hold, so that they are not thinned again at once.
LOW: Final = 0.8
#: Below this many reports an issue gives no more to its service's limit; the oldest of the service go instead.
LEAST: Final = 20


@dataclass(slots=True)
class Removed:
    """What one run deleted. `is_done` is false where time ran out."""

    by_age: int = 0
    by_use: int = 0
    is_done: bool = True


@dataclass(slots=True)
class _Run:
    now: dt.datetime
    goes_on: Callable[[], bool]
    pause: Callable[[float], None]
    removed: Removed = field(default_factory=Removed)
    evidence: dict[int, frozenset[int]] = field(default_factory=dict)

    def delete(self, ids: Sequence[int]) -> int:
        """Deletes these reports in one transaction, and takes them from their issues' numbers of kept ones."""
        started = time.monotonic()
        with transaction.atomic():
            rows = ErrorEvent.objects.filter(pk__in=ids).select_for_update(skip_locked=True)
            found = dict(rows.values_list("pk", "issue_id"))
            doomed = ErrorEvent.objects.filter(pk__in=found)
            doomed._raw_delete(doomed.db)  # no row refers to a report; the collector would load them all
            failpoints.reach("retention.deleted")
            _take_off(Counter(found.values()))
        failpoints.reach("retention.committed")
        self.pause(time.monotonic() - started)
        return len(found)

    def is_evidence(self, issue: int, ids: Iterable[int]) -> set[int]:
        """Those of an issue's reports that stand for an incident."""
        if issue not in self.evidence:
            self.evidence[issue] = _evidence_of(issue, self.now)
        return set(self.evidence[issue].intersection(ids))


def clean_up(
    *, now: dt.datetime, goes_on: Callable[[], bool] = lambda: True, pause: Callable[[float], None] = lambda _: None
) -> Removed:
    """Deletes reports until none is too old or too many, or until `goes_on` says no. Safe to repeat and to kill."""
    run = _Run(now, goes_on, pause)
    for team in Team.objects.order_by("pk"):
        if not is_on(team, OwnFlag.RETENTION, now=now):
            continue
        for service in Service.objects.filter(team=team).order_by("pk"):
            _by_age(run, service, now - dt.timedelta(days=team.event_days))
            _by_use(run, service)
            if not run.removed.is_done:
                return run.removed
    return run.removed


def _by_age(run: _Run, service: Service, until: dt.datetime) -> None:
    """Deletes the reports of before `until` that stand for no incident, the oldest first."""
    rows = ErrorEvent.objects.filter(service=service, timestamp__lt=until).order_by("timestamp", "pk")
    for page in _pages(run, rows):
        doomed = [pk for issue, pks in _by_issue(page).items() for pk in set(pks) - run.is_evidence(issue, pks)]
        run.removed.by_age += run.delete(doomed) if doomed else 0


def _pages(run: _Run, rows: models.QuerySet[ErrorEvent]) -> Iterable[list[tuple[int, int, dt.datetime]]]:
    """(id, issue, time) of the rows, SLICE at a time; ends early where time runs out. Kept ones are passed by."""
    at, last = None, 0
    while True:
        page = rows
        if at is not None:
            page = rows.filter(models.Q(timestamp__gt=at) | models.Q(timestamp=at, pk__gt=last), timestamp__gte=at)
        found = list(page.values_list("pk", "issue_id", "timestamp")[:SLICE])
        if not found:
            return
        if not run.goes_on():
            run.removed.is_done = False
            return
        yield found
        last, _, at = found[-1]


def _by_issue(page: Sequence[tuple[int, int, dt.datetime]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for pk, issue, _ in page:
        found.setdefault(issue, []).append(pk)
    return found


def _by_use(run: _Run, service: Service) -> None:
    """Thins out the issues that hold too much, and all of the service's where they do together."""
    counts = dict(Issue.objects.filter(service=service, kept_count__gt=0).values_list("pk", "kept_count"))
    most = settings.EVENTS_PER_ISSUE
    total = sum(counts.values())
    if total > settings.EVENTS_PER_SERVICE:
        most = min(most, max(LEAST, level(list(counts.values()), round(settings.EVENTS_PER_SERVICE * LOW))))
    elif max(counts.values(), default=0) <= most:
        return
    is_open = set(
        IncidentIssue.objects.filter(
            issue__in=[issue for issue, count in counts.items() if count > most],
            incident__closed_at__isnull=True,
            incident__is_dismissed=False,
        ).values_list("issue_id", flat=True)
    )
    for issue, count in sorted(counts.items()):
        own = settings.EVENTS_PER_ISSUE * OPEN_FACTOR if issue in is_open else most
        if count > own and run.removed.is_done:
            thinned = _thin(run, issue, count, round(own * LOW))
            run.removed.by_use += thinned
            total -= thinned
    if total > settings.EVENTS_PER_SERVICE and run.removed.is_done:
        _drop_oldest(run, service, total - round(settings.EVENTS_PER_SERVICE * LOW))


def _thin(run: _Run, issue: int, count: int, most: int) -> int:
    """Leaves about `most` of an issue's reports; how many went."""
    newest_first = ErrorEvent.objects.filter(issue=issue).order_by("-timestamp", "-pk")
    recent = min(RECENT, most // 2)
    border = newest_first.values_list("timestamp", flat=True)[recent : recent + 1].first()
    if border is None:
        return 0
    kept_ratio = (most - recent) / max(1, count - recent)
    rows = ErrorEvent.objects.filter(issue=issue, timestamp__lte=border).order_by("timestamp", "pk")
    first = rows.values_list("pk", flat=True).first()
    gone = 0
    for page in _pages(run, rows):
        ids = [pk for pk, _, _ in page]
        kinds = {
            pk: kind
            for pk, *kind in ErrorEvent.objects.filter(pk__in=ids).values_list("pk", "release", "environment_id")
        }
        reports = [Report(pk, tuple(kinds.get(pk, ()))) for pk in ids]
        kept = spread(reports, round(len(reports) * kept_ratio)) | run.is_evidence(issue, ids) | {first}
        doomed = [pk for pk in ids if pk not in kept]
        gone += run.delete(doomed) if doomed else 0
    return gone


def _drop_oldest(run: _Run, service: Service, count: int) -> None:
    """Deletes the oldest reports of a service with very many issues, whatever they are, but for evidence."""
    rows = ErrorEvent.objects.filter(service=service).order_by("timestamp", "pk")
    for page in _pages(run, rows):
        doomed = [pk for issue, pks in _by_issue(page).items() for pk in set(pks) - run.is_evidence(issue, pks)]
        gone = run.delete(doomed[:count]) if doomed else 0
        run.removed.by_use += gone
        count -= gone
        if count <= 0:
            return


def _evidence_of(issue: int, now: dt.datetime) -> frozenset[int]:
    """The first and the last reports of an issue in each incident that it is evidence of."""
    found: set[int] = set()
    links = IncidentIssue.objects.filter(issue=issue, incident__is_dismissed=False).select_related("incident")
    slack = dt.timedelta(minutes=10)  # as wide as the search for the cause looks
    for link in links:
        starts = [at for at in (link.from_at, link.incident.started_at) if at is not None]
        end = link.incident.restored_at or link.incident.closed_at or now
        rows = ErrorEvent.objects.filter(issue=issue, timestamp__gte=min(starts) - slack, timestamp__lte=end + slack)
        found.update(rows.order_by("timestamp", "event_id").values_list("pk", flat=True)[:EVIDENCE])
        found.update(rows.order_by("-timestamp", "-event_id").values_list("pk", flat=True)[:EVIDENCE])
    return frozenset(found)


def _take_off(counts: Counter[int]) -> None:
    """Lowers the numbers of kept reports, in order of the issues' ids as all others lock them."""
    if counts:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {Issue._meta.db_table} SET kept_count = kept_count - %s WHERE id = %s",  # noqa: S608 -- name from the model
                [(count, issue) for issue, count in sorted(counts.items())],
            )
