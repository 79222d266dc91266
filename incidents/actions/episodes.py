"""Symptoms kept up to date: episodes of dirty issues, outages of services whose checks failed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.db.models import Q

from deploys.models import Tier
from incidents.domain.detection import Bucket, JobRule, Rule, Span, Surroundings, outages, spans
from incidents.domain.evidence import Episode as Symptom
from incidents.domain.evidence import IssueFacts, Outage, breadth_of
from incidents.domain.load import flat
from incidents.models import CheckWatch, Episode, ErrorEvent, Issue, Job
from incidents.queries.evidence import (
    HISTORY_DAYS,
    PRODUCTION,
    SAMPLE,
    Lens,
    buckets_of,
    deploy_starts,
    instant,
    issue_facts,
    probes_of,
    seconds,
    times_of,
)

NEAR = dt.timedelta(hours=3)
SLACK = dt.timedelta(minutes=10)
"""By this much the times of hosts with wrong clocks may lie outside."""
CHECKS = "checks"


@dataclass(slots=True)
class Refreshed:
    """Rows that are new or changed, and the incidents that lost a symptom because better knowledge dissolved it."""

    changed: list[Episode] = field(default_factory=list)
    bereft: set[int] = field(default_factory=set)

    def add(self, other: Refreshed) -> None:
        """Take in what another refresh found."""
        self.changed += other.changed
        self.bereft |= other.bereft


def refresh_issue(*, lens: Lens, issue: Issue) -> Refreshed:
    """Recompute the episodes of one issue from its events."""
    if issue.status == Issue.Status.IGNORED:
        return Refreshed()
    times = times_of(lens, issue)
    service = issue.service
    starts: list[float] = []

    def changed_near(at: float) -> bool:  # read only where a service is new
        if not starts:
            since = lens.now - dt.timedelta(days=HISTORY_DAYS)
            starts.extend(deploy_starts(lens.team, [service.pk], since).get(service.pk, [float("-inf")]))
        return any(at - lens.rule.change_before <= start <= at + 120 for start in starts)

    def load(start: float, end: float) -> float:  # read only where a burst is in question
        return lens.load(service.pk)(start, end)

    around = Surroundings(
        since=seconds(service.first_event_at or lens.now),
        changed_near=changed_near,
        load=load,
        resolved=(seconds(issue.resolved_at),) if issue.resolved_at else (),
    )
    if not _is_worth_a_look(times, around, lens.rule) and not Episode.objects.filter(issue=issue).exists():
        return Refreshed()
    return _store(lens, issue, spans(buckets_of(lens, issue, times), around, lens.rule))


def _is_worth_a_look(times: Sequence[tuple[dt.datetime, str]], around: Surroundings, rule: Rule) -> bool:
    """A cheap look at uncorrected times, with a lenient rule: most errors are everyday noise, and cost one query."""
    if len(times) < rule.events:
        return False
    buckets = [Bucket(seconds(at), seconds(at)) for at, _ in reversed(times)]
    return bool(spans(buckets, replace(around, load=flat), replace(rule, burst_odds=1e-2, burst_factor=1.5)))


def _store(lens: Lens, issue: Issue, found: Sequence[Span]) -> Refreshed:
    oldest = lens.now - dt.timedelta(days=HISTORY_DAYS - 1)
    rows = list(Episode.objects.filter(issue=issue, started_at__gte=oldest).order_by("started_at", "id"))
    done = Refreshed()
    for span in found:
        if instant(span.start) < oldest:
            continue
        row = next((each for each in rows if _overlaps(each, span)), None)
        if row is None:
            done.changed.append(_new(lens, issue, span))
            continue
        rows.remove(row)
        if differs(row, _columns(span)):
            row.breadth = _breadth(issue, span)
            row.save(update_fields=[*_columns(span), "breadth"])
            done.changed.append(row)
    for row in rows:
        if row.incident_id is not None:
            done.bereft.add(row.incident_id)
        row.delete()
    return done


def _overlaps(row: Episode, span: Span) -> bool:
    return row.started_at <= instant(span.end) + NEAR and instant(span.start) <= row.last_at + NEAR


def _columns(span: Span) -> dict[str, Any]:  # Any: column values
    return {
        "started_at": instant(span.start),
        "last_at": instant(span.end),
        "met_at": instant(span.met_at),
        "count": span.count,
        "earlier_count": span.earlier,
        "reason": span.reason,
        "gap_seconds": span.gap,
    }


def differs(row: Episode, values: dict[str, Any]) -> bool:  # Any: column values
    """Sets the values on the row; whether any was another."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return bool(changed)


def _new(lens: Lens, issue: Issue, span: Span) -> Episode:
    latest = (
        ErrorEvent.objects.filter(issue=issue, environment__tier=Tier.PRODUCTION)
        .order_by("-timestamp")
        .values_list("environment_id", flat=True)[0]
    )
    facts = asdict(issue_facts(issue, issue.service.name))
    return Episode.objects.create(
        team=lens.team, service=issue.service, environment_id=latest, issue=issue, facts=facts,
        breadth=_breadth(issue, span), **_columns(span),
    )  # fmt: skip


def _breadth(issue: Issue, span: Span) -> float | None:
    """How many different users the first events of an episode hit. One query, of a few hundred rows at most."""
    rows = ErrorEvent.objects.filter(
        PRODUCTION, issue=issue, timestamp__gte=instant(span.start) - SLACK, timestamp__lte=instant(span.end) + SLACK
    )
    return breadth_of(list(rows.order_by("timestamp", "event_id").values_list("user_key", flat=True)[:SAMPLE]))


def symptom_of(row: Episode) -> Symptom | Outage:
    """The row as grouping reads it (without its events)."""
    if row.issue_id is None:
        return Outage(
            service=row.service.name,
            start=seconds(row.started_at),
            end=seconds(row.ended_at) if row.ended_at else None,
            met_at=seconds(row.met_at),
            last_failed=seconds(row.last_at),
            job=str(row.facts.get("job") or ""),
            alert=str(row.facts.get("alert") or ""),
            says_down=bool(row.facts.get("says_down")),
        )
    facts: dict[str, Any] = {  # Any: JSON
        name: tuple(value) if isinstance(value, list) else value
        for name, value in row.facts.items()
        if name in IssueFacts.__dataclass_fields__
    }
    return Symptom(
        issue=IssueFacts(**facts),
        start=seconds(row.started_at),
        end=seconds(row.last_at),
        count=row.count,
        met_at=seconds(row.met_at),
        reason=row.reason,
        gap=row.gap_seconds,
        earlier=row.earlier_count,
        breadth=row.breadth,
    )


def refresh_outages(*, lens: Lens, watch: CheckWatch) -> list[Episode]:
    """Recompute the outages of a service around its unseen checks; the rows that are new or changed."""
    if watch.dirty_since is None:
        return []
    seen = CheckWatch.objects.filter(pk=watch.pk, dirty_since=watch.dirty_since)
    if watch.environment.tier != Tier.PRODUCTION:
        seen.update(dirty_since=None)
        return []
    rows = Episode.objects.filter(service=watch.service, environment=watch.environment, issue=None, reason=CHECKS)
    since = watch.dirty_since - dt.timedelta(minutes=30)
    known = list(rows.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=since)).order_by("started_at", "id"))
    found = _outages(lens, watch, known, since)
    touched: list[Episode] = []
    for outage in found:
        values = {
            "started_at": instant(outage.start),
            "last_at": instant(outage.last_failed),
            "ended_at": instant(outage.end) if outage.end is not None else None,
            "met_at": instant(outage.met_at),
        }
        row = next((each for each in known if _meets(each, outage)), None)
        if row is None:
            row = Episode.objects.create(
                team=lens.team, service=watch.service, environment=watch.environment, reason=CHECKS, count=0,
                facts={"job": outage.job} if outage.job else {}, **values,
            )  # fmt: skip
            touched.append(row)
        else:
            known.remove(row)
            if differs(row, values):
                row.save(update_fields=list(values))
                touched.append(row)
    is_down = any(outage.end is None for outage in found)
    CheckWatch.objects.filter(pk=watch.pk).update(is_down=is_down)
    seen.update(dirty_since=None)
    return touched


def _outages(lens: Lens, watch: CheckWatch, known: Sequence[Episode], since: dt.datetime) -> list[Outage]:
    """The outages of monitors and of jobs, read from where the first of those that may still last began.

    A job may run once a month, so each of its failed runs is remembered with where its failing began.
    """
    monitors = min([since, *(row.started_at for row in known if not row.facts.get("job"))])
    began: dict[str, dt.datetime] = {}
    for row in known:
        name = str(row.facts.get("job") or "")
        began[name] = min(row.started_at, began.get(name, row.started_at))
    failing = Q(failing_since__isnull=False) | Q(slug__in=list(began))
    jobs = list(Job.objects.filter(failing, service=watch.service, environment=watch.environment))
    probes = probes_of(
        watch.service_id, watch.environment_id, monitors, lens.now,
        jobs={job.source: min(since, job.failing_since or since, began.get(job.slug, since)) for job in jobs},
    )  # fmt: skip
    rules = {job.source: JobRule(job.slug, job.failure_threshold, job.recovery_threshold) for job in jobs}
    return outages(watch.service.name, probes, lens.rule, rules)


def _meets(row: Episode, outage: Outage) -> bool:
    end = row.ended_at or row.last_at
    is_same = (row.facts.get("job") or "") == outage.job
    return is_same and row.started_at <= instant(outage.end or outage.last_failed) and instant(outage.start) <= end
