"""What detection and attribution read: rows into the small records of `incidents.domain.evidence`.

Every read is bounded in time and number. Instants become seconds since the epoch, corrected for the sender's clock.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import orjson
from backports import zstd
from django.db.models import Count, Q, Sum

from deploys.models import Dependency, Service, Team, Tier
from deploys.queries.epoch import MICROSECONDS, EpochMicroseconds
from incidents.domain.detection import Bucket, Probe, Rule
from incidents.domain.event import Frame
from incidents.domain.evidence import DAY, HOUR, MINUTE, IssueFacts, ServiceFacts, Sighting, TrafficPoint
from incidents.domain.frames import in_app_frames, is_in_app, place_of, source_paths
from incidents.domain.load import flat, load_of
from incidents.domain.messages import normalise
from incidents.domain.spells import clock_offset
from incidents.formats.sentry_event import frames_of
from incidents.models import Check, ErrorEvent, Issue, IssueCount, TrafficCount

HISTORY_DAYS = 14
TIMES_LIMIT = 2000
SAMPLE = 200
PRODUCTION = Q(environment__tier=Tier.PRODUCTION)


def seconds(at: dt.datetime) -> float:
    """Epoch seconds of an aware instant."""
    return at.timestamp()


def instant(at: float) -> dt.datetime:
    """The aware instant of epoch seconds."""
    return dt.datetime.fromtimestamp(at, dt.UTC)


@dataclass
class Lens:
    """Reads of one pass, each done once: clock offsets, loads and the team's services as known at ``now``."""

    team: Team
    now: dt.datetime
    rule: Rule = field(default_factory=Rule)
    _offsets: dict[int, dict[str, float]] = field(default_factory=dict)
    _loads: dict[int, Callable[[float, float], float]] = field(default_factory=dict)
    _services: dict[str, ServiceFacts] | None = None

    def offsets(self, service_id: int) -> Mapping[str, float]:
        """By how much the clocks of a service's hosts are behind (−), from its events of three days, 1,000 at most."""
        if service_id not in self._offsets:
            rows = ErrorEvent.objects.filter(
                service=service_id, timestamp__gte=self.now - dt.timedelta(days=3), timestamp__lte=self.now
            )
            delays: dict[str, list[float]] = defaultdict(list)
            delay = EpochMicroseconds("timestamp") - EpochMicroseconds("received_at")
            for host, behind in rows.order_by("-timestamp").values_list("host", delay)[:1000]:
                delays[host].append(behind / MICROSECONDS)
            found = {host: clock_offset(values) for host, values in delays.items() if host}
            self._offsets[service_id] = {host: offset for host, offset in found.items() if offset}
        return self._offsets[service_id]

    def load(self, service_id: int) -> Callable[[float, float], float]:
        """Relative traffic of a service over the last two weeks, by the hour."""
        if service_id not in self._loads:
            rows = traffic_rows([service_id], Q(at__gte=self.now - dt.timedelta(days=HISTORY_DAYS)))
            points = [point for _, point in rows]
            self._loads[service_id] = load_of(points) if points else flat
        return self._loads[service_id]

    def services(self) -> dict[str, ServiceFacts]:
        """All services of the team: what they call, their hosts, whether they tell users. Four queries, once."""
        if self._services is None:
            self._services = _services(self.team, self.now)
        return self._services


def _services(team: Team, now: dt.datetime) -> dict[str, ServiceFacts]:
    rows = list(Service.objects.filter(team=team))
    calls: dict[int, set[str]] = defaultdict(set)
    links = Dependency.objects.filter(service__team=team).values_list("service_id", "depends_on__name")
    for service_id, name in links:
        calls[service_id].add(name)
    with_users = set(
        Issue.objects.filter(
            service__team=team, users_count__gt=0, last_seen_at__gte=now - dt.timedelta(days=7)
        ).values_list("service_id", flat=True).distinct()
    )  # fmt: skip
    return {
        row.name: ServiceFacts(
            name=row.name,
            depends_on=frozenset(calls[row.pk]),
            hosts=tuple(row.hosts or ()),
            is_probed=row.is_probed,
            reports_users=row.pk in with_users,
            evidence_since=seconds(row.first_event_at) if row.first_event_at else seconds(now),
        )
        for row in rows
    }


# -- detection -------------------------------------------------------------------------------------------------------


def times_of(lens: Lens, issue: Issue) -> list[tuple[dt.datetime, str]]:
    """(instant, host) of the production events of two weeks, newest first, at most one more than the limit."""
    since = lens.now - dt.timedelta(days=HISTORY_DAYS)
    rows = ErrorEvent.objects.filter(PRODUCTION, issue=issue, timestamp__gte=since, timestamp__lte=lens.now)
    return list(rows.order_by("-timestamp").values_list("timestamp", "host")[: TIMES_LIMIT + 1])


def buckets_of(lens: Lens, issue: Issue, times: Sequence[tuple[dt.datetime, str]]) -> list[Bucket]:
    """The events with corrected times, in order: single ones, the oldest of very many by the five minutes."""
    offsets = lens.offsets(issue.service_id)
    exact = sorted(seconds(at) - offsets.get(host, 0.0) for at, host in times)
    found = [Bucket(at, at) for at in exact]
    if len(times) > TIMES_LIMIT:
        found = _older(issue, lens.now - dt.timedelta(days=HISTORY_DAYS), times[-1][0]) + found
    return found


def _older(issue: Issue, since: dt.datetime, until: dt.datetime) -> list[Bucket]:
    rows = IssueCount.objects.filter(PRODUCTION, issue=issue, bucket_at__gte=since)
    whole = rows.filter(bucket_at__lte=until - dt.timedelta(minutes=5)).values("bucket_at").annotate(total=Sum("count"))
    return [
        Bucket(seconds(row["bucket_at"]), seconds(row["bucket_at"]) + 299, row["total"])
        for row in whole.order_by("bucket_at")
    ]


def deploy_starts(team: Team, service_ids: Collection[int], since: dt.datetime) -> dict[int, list[float]]:
    """When production deploys of these services started, in order."""
    found: dict[int, list[float]] = defaultdict(list)
    rows = team.changes.filter(PRODUCTION, kind="deploy", service__in=list(service_ids), at__gte=since).order_by("at")
    for service_id, at in rows.values_list("service_id", "at"):
        found[service_id].append(seconds(at))
    return found


def probes_of(
    service_id: int,
    environment_id: int,
    since: dt.datetime,
    until: dt.datetime,
    jobs: Mapping[str, dt.datetime] = MappingProxyType({}),
) -> list[Probe]:
    """Checks of a service in [since, until], in order; of jobs (by source) those since their own instants."""
    wanted = Q(at__gte=since) & ~Q(source__startswith="job:")
    for source, begin in jobs.items():
        wanted |= Q(source=source, at__gte=begin)
    rows = Check.objects.filter(wanted, service=service_id, environment=environment_id, at__lte=until)
    return [
        Probe(seconds(at), ok, source)
        for at, ok, source in rows.order_by("at", "source").values_list("at", "ok", "source")
    ]


def issue_facts(issue: Issue, service: str) -> IssueFacts:
    """The static side of an issue, from its earliest stored event. Two queries."""
    event = issue.events.order_by("timestamp", "id").first()
    message = normalise(event.message if event else "")
    frames = _frames(event.payload) if event else ()
    return IssueFacts(
        key=issue.fingerprint,
        service=service,
        type=issue.type,
        text=message.text,
        hosts=message.hosts,
        status=message.status,
        paths=source_paths(frames)[:8],
        places=tuple(dict.fromkeys(place_of(frame) for frame in in_app_frames(frames)))[:8],
        is_from_request=event is None or event.is_from_request is not False,
        is_library_inside=bool(frames) and not is_in_app(frames[-1]),
    )


def _frames(payload: bytes | memoryview) -> tuple[Frame, ...]:
    if not payload:
        return ()
    report = orjson.loads(zstd.decompress(bytes(payload)))
    return frames_of(report) if isinstance(report, dict) else ()


# -- attribution -----------------------------------------------------------------------------------------------------


def sightings_of(
    lens: Lens, issue_id: int, service_id: int, start: dt.datetime, end: dt.datetime
) -> tuple[Sighting, ...]:
    """The first and the last events of an issue in [start, end] (widened by ten minutes for wrong clocks)."""
    slack = dt.timedelta(minutes=10)
    rows = ErrorEvent.objects.filter(
        PRODUCTION, issue=issue_id, timestamp__gte=start - slack, timestamp__lte=end + slack
    )
    columns = (EpochMicroseconds("timestamp"), "host", "release", "user_key", "trace_key", "flags", "tags")
    first = list(rows.order_by("timestamp", "event_id").values_list(*columns)[: SAMPLE + 1])
    if len(first) > SAMPLE:
        last = list(rows.order_by("-timestamp", "-event_id").values_list(*columns)[: SAMPLE // 2])
        first = first[: SAMPLE // 2] + last[::-1]
    offsets = lens.offsets(service_id)
    found = [
        Sighting(at / MICROSECONDS - offsets.get(host, 0.0), host, release, user, trace, flags or {}, tags or {})
        for at, host, release, user, trace, flags, tags in first
    ]
    low, high = seconds(start) - 0.001, seconds(end) + 0.001
    return tuple(sorted((s for s in found if low <= s.at <= high), key=lambda s: (s.at, s.host, s.user)))


def people_of(issue_id: int, start: dt.datetime, end: dt.datetime) -> tuple[int, int]:
    """Distinct users and sessions of an issue in [start, end]."""
    rows = ErrorEvent.objects.filter(PRODUCTION, issue=issue_id, timestamp__gte=start, timestamp__lte=end)
    users = rows.exclude(user_key="").aggregate(n=Count("user_key", distinct=True))["n"]
    sessions = rows.exclude(trace_key="").aggregate(n=Count("trace_key", distinct=True))["n"]
    return int(users or 0), int(sessions or 0)


def traffic_rows(service_ids: Collection[int], when: Q) -> list[tuple[int, TrafficPoint]]:
    """Traffic counts of services in production, of repeated identities the one received last."""
    rows = TrafficCount.objects.filter(when, PRODUCTION, service__in=list(service_ids))
    latest: dict[tuple[int, str, int, float, str], int] = {}
    sums: dict[tuple[int, str, int, float, str], int] = defaultdict(int)
    at_micros = EpochMicroseconds("at")
    ordered = rows.order_by("at", "id").values_list("service_id", "release", at_micros, "seconds", "origin", "count")
    for service_id, release, at, length, origin, count in ordered:
        key = (service_id, release, at, length, origin)
        if origin == TrafficCount.Origin.LIVE:
            sums[key] += count
        else:
            latest[key] = count
    return [
        (key[0], TrafficPoint(key[2] / MICROSECONDS, key[3], count, key[1]))
        for key, count in sorted((sums | latest).items())
    ]


def traffic_around(lens: Lens, services: Mapping[str, int], onset: float) -> dict[str, list[TrafficPoint]]:
    """Traffic of services around an onset: three hours before to two after, and the same hour of the days before."""
    if not services:
        return {}
    when = Q(at__gte=instant(onset - 4 * HOUR), at__lte=instant(onset + 2 * HOUR))
    for day in range(1, 8):
        middle = onset - day * DAY
        when |= Q(at__gte=instant(middle - 40 * MINUTE), at__lte=instant(middle + 40 * MINUTE))
    names = {pk: name for name, pk in services.items()}
    found: dict[str, list[TrafficPoint]] = defaultdict(list)
    for service_id, point in traffic_rows(list(names), when):
        found[names[service_id]].append(point)
    return dict(found)


def flag_services(team: Team, onset: float) -> dict[str, frozenset[str]]:
    """Which services evaluate which flags, learned from the errors of the day before an onset (600 at most)."""
    rows = ErrorEvent.objects.filter(
        PRODUCTION, service__team=team, flags__isnull=False,
        timestamp__gte=instant(onset - DAY), timestamp__lte=instant(onset + HOUR),
    )  # fmt: skip
    found: dict[str, set[str]] = defaultdict(set)
    for name, flags in rows.order_by("-timestamp").values_list("service__name", "flags")[:600]:
        for key in flags or ():
            found[key].add(name)
    return {key: frozenset(names) for key, names in found.items()}


def staging_of(issues: Mapping[int, str], onset: float) -> dict[str, list[float]]:
    """When these issues (by primary key: fingerprint) were seen outside production before an onset."""
    rows = ErrorEvent.objects.filter(
        ~PRODUCTION,
        issue__in=list(issues),
        timestamp__gte=instant(onset - 76 * HOUR),
        timestamp__lte=instant(onset + HOUR),
    )
    found: dict[str, list[float]] = defaultdict(list)
    for issue_id, at in rows.order_by("timestamp").values_list("issue_id", "timestamp")[:500]:
        found[issues[issue_id]].append(seconds(at))
    return dict(found)


def known_texts(lens: Lens, issues: Iterable[tuple[int, int, IssueFacts]], onset: float) -> dict[str, float]:
    """For issues (primary key, service, facts): when the same type and text was first seen under another stack."""
    found: dict[str, float] = {}
    for issue_id, service_id, facts in issues:
        others = Issue.objects.filter(service=service_id, type=facts.type, first_seen_at__lt=instant(onset - HOUR))
        wanted = f"message: {facts.text}"
        rows = others.exclude(pk=issue_id).order_by("first_seen_at").values_list("first_seen_at", "explanation")[:200]
        for at, explanation in rows:
            if wanted in (explanation or {}).get("parts", ()):
                found[f"{facts.service}|{facts.type}|{facts.text}"] = seconds(at)
                break
    return found


def service_ids(team: Team, names: Sequence[str]) -> dict[str, int]:
    """Primary keys of services by name."""
    return dict(Service.objects.filter(team=team, name__in=list(names)).values_list("name", "pk"))


def services_around(lens: Lens, names: Sequence[str]) -> list[Service]:
    """These services and those they call."""
    called = {other for name in names if name in lens.services() for other in lens.services()[name].depends_on}
    return list(
        Service.objects.select_related("team").filter(team=lens.team, name__in={*names, *called}).order_by("pk")
    )
