"""Whether a project may send now: rates that each process keeps by itself, and what was last seen of backlog and disk.

Nothing here asks a database or a disk while a sender waits: `Watch` looks from a thread of its own, once a second, and
leaves a `Seen` behind. Rates are those of the instance divided by its web processes, which do not talk to each other: a
sender that reaches only one of several is held to that one's part.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db import models

from deploys import clock
from deploys.models import Service
from incidents.domain.admission import Bucket, Rate, has_room
from incidents.ingest import answers
from incidents.ingest.answers import Refusal
from incidents.ingest.limits import MAX_BUCKETS, RETRY_SECONDS
from incidents.queries.backlog import Backlog, backlog
from incidents.queries.storage import free_bytes

logger = logging.getLogger(__name__)

#: What an SDK is told to hold back when its events come too fast; it goes on with sessions and check-ins then.
EVENT_CATEGORIES: Final = ("error", "default", "security", "transaction", "span", "feedback", "log_item")
#: What it is told when the cheap kinds come too fast.
CHEAP_CATEGORIES: Final = ("session", "monitor")
#: What it is told when client reports come too fast: the word of clients for what they send about themselves.
REPORT_CATEGORIES: Final = ("internal",)
#: Kinds of item that are counted or kept as one small row: they have a bucket of their own.
CHEAP_ITEMS: Final = frozenset({"session", "sessions", "check_in"})
#: The kind that tells what a client lost. It is sent when much is lost, so it must pass just then.
REPORT_ITEM: Final = "client_report"
#: What one project may send of it, whatever the rates of the rest: far more than clients do, which send one in 30 s.
REPORT_RATE: Final = Rate(1_000, 100_000)
#: How old the knowledge of rates may be.
RATES_SECONDS: Final = 5.0
#: What is waiting in the inbox takes up to this many times its size once it is digested.
GROWTH: Final = 2


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of the instance. Sizes in bytes."""

    rate: Rate
    report_rate: Rate
    backlog_age: dt.timedelta
    backlog_rows: int
    backlog_bytes: int
    reserved_bytes: int

    @classmethod
    def from_settings(cls) -> Bounds:
        """This process's part of what the settings allow."""
        whole = Rate(float(settings.EVENT_RATE), float(settings.EVENT_BURST))
        return cls(
            rate=whole.shared_by(settings.WEB_PROCESSES),
            report_rate=REPORT_RATE.shared_by(settings.WEB_PROCESSES),
            backlog_age=dt.timedelta(seconds=settings.BACKLOG_SECONDS),
            backlog_rows=settings.BACKLOG_ROWS,
            backlog_bytes=settings.BACKLOG_BYTES,
            reserved_bytes=settings.RESERVED_DISK_BYTES,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last look found: why everybody is refused, why some are, and which projects have rates of their own."""

    everybody: str = ""
    projects: Mapping[int, str] = field(default_factory=dict)
    rates: Mapping[int, Rate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    """What a body takes of a project's rates: events, whether it holds anything cheap, and client reports."""

    events: int = 0
    has_cheap: bool = False
    reports: int = 0


#: Reasons as they are counted, with what the sender is told.
REASONS: Final = {
    "disk": "there is little room left to store it",
    "backlog": "too much of this project waits to be digested",
    "inbox": "too much waits to be digested",
    "rate": "this project sends more than it may",
}


class Admission:
    """Belongs to one event loop. `seen` is replaced as a whole by another thread."""

    def __init__(self, bounds: Bounds, *, now: Callable[[], float] = time.monotonic) -> None:
        self.bounds = bounds
        self.seen = Seen()
        self._now = now
        self._buckets: OrderedDict[tuple[int, tuple[str, ...]], Bucket] = OrderedDict()

    def check_room(self, project: int) -> None:
        """Raises Refusal 429 while there is no room for this project, for whatever kind of item."""
        reason = self.seen.everybody or self.seen.projects.get(project)
        if reason:
            raise _refusal(reason, ())

    def check_rate(self, project: int, load: Load) -> None:
        """Takes the load from the bucket of its dearest kind. Raises Refusal 429 that names the categories to hold back.

        Client reports that travel with something else are taken along with it, and never the reason to refuse it.
        """
        rate = self.seen.rates.get(project, self.bounds.rate)
        if load.events:
            self._take(project, EVENT_CATEGORIES, load.events, rate)
        elif load.has_cheap:
            self._take(project, CHEAP_CATEGORIES, 1, rate)
        else:
            self.check_reports(project, load.reports)

    def check_reports(self, project: int, count: int) -> None:
        """Takes `count` client reports from a bucket that no other kind touches. Raises Refusal 429."""
        if count:
            self._take(project, REPORT_CATEGORIES, count, self.bounds.report_rate)

    def _take(self, project: int, categories: tuple[str, ...], count: int, rate: Rate) -> None:
        if not self._bucket(project, categories, rate).take(count, rate=rate, now=self._now()):
            raise _refusal("rate", categories)

    def _bucket(self, project: int, categories: tuple[str, ...], rate: Rate) -> Bucket:
        key = (project, categories)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(tokens=rate.burst, at=self._now())
            while len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket


def _refusal(reason: str, categories: tuple[str, ...]) -> Refusal:
    return answers.too_much(REASONS[reason], seconds=RETRY_SECONDS, categories=categories, reason=reason)


def rates_of_services(processes: int) -> dict[int, Rate]:
    """The rates that were set for single services, by project number, for one of `processes`. One query."""
    own = models.Q(event_rate__isnull=False) | models.Q(event_burst__isnull=False)
    rows = Service.objects.filter(own).values_list("number", "event_rate", "event_burst")
    return {
        number: Rate(
            float(settings.EVENT_RATE if rate is None else rate),
            float(settings.EVENT_BURST if burst is None else burst),
        ).shared_by(processes)
        for number, rate, burst in rows
    }


def judge(found: Backlog, *, bounds: Bounds, free: int | None, now: dt.datetime) -> tuple[str, dict[int, str]]:
    """Why everybody is refused (or ""), and the projects that are, with the reason.

    The disk must hold the reserve and what the waiting bodies will become, else digesting them would fill it.
    """
    if free is not None and free < bounds.reserved_bytes + GROWTH * found.size_bytes:
        return "disk", {}
    if found.rows >= bounds.backlog_rows or found.size_bytes >= bounds.backlog_bytes:
        return "inbox", {}
    mean = found.size_bytes / found.rows if found.rows else 0
    refused = {}
    for number, own in found.projects.items():
        fits = has_room(own=own.rows, total=found.rows, most=bounds.backlog_rows) and has_room(
            own=round(own.rows * mean), total=found.size_bytes, most=bounds.backlog_bytes
        )
        if not fits or now - own.oldest_at > bounds.backlog_age:
            refused[number] = "backlog"
    return "", refused


class Watch:
    """Looks at inbox, disk and rates, and tells `admission`. A look that was dear is not repeated soon."""

    def __init__(self, admission: Admission, *, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._admission = admission
        self._now = now
        self._found = Backlog()
        self._look_again_at = 0.0
        self._rates: dict[int, Rate] = {}
        self._rates_again_at = 0.0

    def look(self) -> None:
        """One look. Raises what the database raises; what was seen before stays valid then."""
        started = time.monotonic()
        if started >= self._look_again_at:
            self._found = backlog()
            self._look_again_at = started + 20 * (time.monotonic() - started)  # at most a twentieth of a core
        bounds = self._admission.bounds
        everybody, projects = judge(self._found, bounds=bounds, free=free_bytes(), now=self._now())
        if started >= self._rates_again_at:
            self._rates = rates_of_services(settings.WEB_PROCESSES)
            self._rates_again_at = started + RATES_SECONDS
        if everybody != self._admission.seen.everybody:
            logger.warning("what is taken in has changed", extra={"refused_for": everybody or "nothing"})
        self._admission.seen = Seen(everybody, projects, self._rates)
