"""Error reports become rows: events, issues and their counts. Every way in ends here, live or replayed.

One call is one transaction. It may run twice with the same events, and two may run at once: an event is known by
(service, event id), and counters move only for rows that were really inserted. Issues are locked first and in order,
which makes the check for known events exact on PostgreSQL; SQLite has one writer anyway.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import orjson
from backports import zstd
from django.conf import settings
from django.db import connection, models, transaction

from deploys.actions.catalog import environments_by_name
from deploys.actions.upserts import add_up
from deploys.models import Environment, Service
from incidents.actions.cardinality import MOST_ENVIRONMENTS, NAMES, OTHERS, OVERFLOW, Kind, new_issues_left
from incidents.actions.issue_groups import locked_wholes
from incidents.actions.topology import learn_calls
from incidents.domain.event import ErrorEvent as Report
from incidents.domain.event import ParsedEvent
from incidents.domain.fingerprint import Grouping, group
from incidents.domain.scrubbing import Scrubber, identity_hash
from incidents.models import ErrorEvent, Issue, IssueCount, IssueUser
from incidents.queries.privacy import scrubbers_of

BUCKET_SECONDS = 300
CHUNK = 500
_ZSTD_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Digested:
    """What became of a call: ids of the issues that got new events, and how many events were new or known."""

    issue_ids: tuple[int, ...] = ()
    stored_count: int = 0
    duplicate_count: int = 0


@dataclass(frozen=True, slots=True)
class _Arrival:
    """An event with its group and the instants it is filed under: `at` lies never after `received_at`.

    `release` and `host` are as they are kept, `counted_as` as counts are kept by them; `parsed` is as it was sent.
    """

    parsed: ParsedEvent
    grouping: Grouping
    at: dt.datetime
    received_at: dt.datetime
    environment: Environment
    release: str
    host: str
    counted_as: tuple[str, str]
    user_key: str
    trace_key: str

    @property
    def issue_key(self) -> tuple[int, str]:
        return self.grouping.version, self.grouping.key


def digest_events(
    *,
    service: Service,
    events: Sequence[ParsedEvent],
    received_at: dt.datetime | Sequence[dt.datetime],
    is_evidence_only: bool = False,
    scrubber: Scrubber | None = None,
) -> Digested:
    """Stores the events of one service that are not known yet, and brings its issues up to date.

    What is kept for reading is scrubbed here, as the team wants it where no `scrubber` is given; events are grouped, and
    users told apart, by what was sent.
    `received_at` is one instant for all, or one for each. Touched issues are marked for detection unless the events are
    evidence only (an import runs no detection). About ten queries for every 500 events, whatever they are.
    """
    instants = [received_at] * len(events) if isinstance(received_at, dt.datetime) else list(received_at)
    pairs = list(zip(events, instants, strict=True))
    results = []
    scrubber = scrubber or scrubbers_of([service.team_id])[service.team_id]
    with transaction.atomic():
        for start in range(0, len(pairs), CHUNK):
            arrivals = _arrivals(service, pairs[start : start + CHUNK], scrubber, is_bounded=not is_evidence_only)
            results.append(_store(service, arrivals, scrubber, is_evidence_only=is_evidence_only))
        if pairs:
            _note_last_event(service, max(instants))
    return Digested(
        issue_ids=tuple(sorted({issue for result in results for issue in result.issue_ids})),
        stored_count=sum(result.stored_count for result in results),
        duplicate_count=sum(result.duplicate_count for result in results),
    )


def payload_of(event: ErrorEvent) -> dict[str, Any]:  # Any: JSON
    """The scrubbed report that was stored with an event."""
    found: dict[str, Any] = orjson.loads(zstd.decompress(bytes(event.payload))) if event.payload else {}
    return found


def names_of(events: Iterable[ParsedEvent], scrubber: Scrubber) -> tuple[dict[str, str], dict[str, str]]:
    """Releases and hosts of the events: as sent, with what is kept of each."""
    sent = [(parsed.event.release, parsed.event.host) for parsed in events]
    releases = {name: scrubber.text(name)[:250] for name in {release for release, _ in sent}}
    hosts = {name: scrubber.text(name)[:200] for name in {host for _, host in sent}}
    return releases, hosts


def _arrivals(
    service: Service, pairs: Sequence[tuple[ParsedEvent, dt.datetime]], scrubber: Scrubber, *, is_bounded: bool
) -> list[_Arrival]:
    """The events with everything that is computed before the first lock of an issue is taken."""
    names = {parsed.event.environment: scrubber.text(parsed.event.environment)[:100] for parsed, _ in pairs}
    environments = environments_by_name(
        team=service.team,
        names=set(names.values()),
        now=max(received_at for _, received_at in pairs),
        most=MOST_ENVIRONMENTS,
    )
    releases, hosts = names_of([parsed for parsed, _ in pairs], scrubber)
    wanted = {(service, "release"): set(releases.values()), (service, "host"): set(hosts.values())}
    kept: Mapping[Kind, Set[str]] = NAMES.kept(wanted) if is_bounded else wanted
    by_release, by_host = (
        {name: name if name in kept[service, kind] else OTHERS for name in wanted[service, kind]}
        for kind in ("release", "host")
    )
    salt = service.team.user_salt.bytes
    return [
        _Arrival(
            parsed=parsed,
            grouping=group(parsed.event, parsed.sent_fingerprint),
            at=min(parsed.event.timestamp, received_at),
            received_at=received_at,
            environment=environments[names[parsed.event.environment]],
            release=releases[parsed.event.release],
            host=hosts[parsed.event.host],
            counted_as=(by_release[releases[parsed.event.release]], by_host[hosts[parsed.event.host]]),
            user_key=identity_hash(parsed.event.user, salt=salt),
            trace_key=identity_hash(parsed.event.session, salt=salt),
        )
        for parsed, received_at in pairs
    ]


def _store(service: Service, arrivals: Sequence[_Arrival], scrubber: Scrubber, *, is_evidence_only: bool) -> Digested:
    issues = _locked_issues(service, arrivals, scrubber, is_bounded=not is_evidence_only)
    known = set(
        ErrorEvent.objects.filter(
            service=service, event_id__in=[arrival.parsed.event.event_id for arrival in arrivals]
        ).values_list("event_id", flat=True)
    )
    fresh: dict[str, _Arrival] = {}
    for arrival in arrivals:
        if arrival.parsed.event.event_id not in known:
            fresh.setdefault(arrival.parsed.event.event_id, arrival)
    wholes = locked_wholes(issues.values())
    by_issue: dict[int, list[_Arrival]] = defaultdict(list)
    by_part: dict[int, list[_Arrival]] = defaultdict(list)
    for arrival in fresh.values():
        issue = issues[arrival.issue_key]
        by_issue[wholes.get(issue.pk, issue).pk].append(arrival)
        if issue.pk in wholes:
            by_part[issue.pk].append(arrival)
    ErrorEvent.objects.bulk_create(
        [_row(service, issues[each.issue_key], each, scrubber, wholes) for each in fresh.values()]
    )
    _count({**by_issue, **by_part})
    new_users = _add_users({**by_issue, **by_part})
    _touch(by_issue, new_users, is_evidence_only=is_evidence_only)
    _touch(by_part, new_users, is_evidence_only=True, is_part=True)
    own = {issue.pk: issue for issue in issues.values()}
    _begin_earlier(own.values(), {**by_issue, **by_part}, scrubber)
    _reopen({**own, **{whole.pk: whole for whole in wholes.values()}}.values(), by_issue)
    return Digested(
        issue_ids=tuple(by_issue), stored_count=len(fresh), duplicate_count=len(arrivals) - len(fresh)
    )  # fmt: skip


def _locked_issues(
    service: Service, arrivals: Iterable[_Arrival], scrubber: Scrubber, *, is_bounded: bool
) -> dict[tuple[int, str], Issue]:
    """The issues these events belong to, made where they are new, locked in order of their ids.

    A service that has made very many within the hour makes no more: what is new beyond goes to its overflow issue.
    """
    by_key: dict[tuple[int, str], list[_Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_key[arrival.issue_key].append(arrival)
    rows = (
        Issue.objects.select_for_update(no_key=True)
        # with the overflow issue, were there one: locked later, it would not be in order
        .filter(service=service, fingerprint__in=[OVERFLOW[1], *(key for _, key in by_key)])
        .order_by("pk")
    )
    issues = {(issue.grouping_version, issue.fingerprint): issue for issue in rows}
    missing = sorted(key for key in by_key if key not in issues)
    if not missing:
        return issues
    left = new_issues_left(service) if is_bounded else len(missing)
    made = [_new_issue(service, by_key[key], scrubber) for key in missing[:left]]
    beyond = missing[left:]
    if beyond and OVERFLOW not in issues:
        made.append(_overflow_issue(service, [arrival for key in beyond for arrival in by_key[key]], scrubber))
    Issue.objects.bulk_create(made, ignore_conflicts=True)
    learn_calls(
        service=service, hosts=sorted({host for key in missing for host in by_key[key][0].grouping.message.hosts})
    )
    issues = {(issue.grouping_version, issue.fingerprint): issue for issue in rows.all()}
    return issues | {key: issues[OVERFLOW] for key in beyond if key not in issues}


def _overflow_issue(service: Service, arrivals: Sequence[_Arrival], scrubber: Scrubber) -> Issue:
    """Where events go whose own issues would be too many. It says what it is wherever issues are listed."""
    issue = _new_issue(service, arrivals, scrubber)
    issue.grouping_version, issue.fingerprint = OVERFLOW
    issue.type, issue.culprit = "Overflow", ""
    issue.title = "Overflow: too many new kinds of error in an hour, the rest is collected here"
    issue.explanation = {
        "parts": [
            f"more than {settings.NEW_ISSUES_PER_HOUR} new issues of this service within an hour",
            "its events have nothing else in common; a message with a changing text is the usual cause",
        ]
    }
    return issue


def _new_issue(service: Service, arrivals: Sequence[_Arrival], scrubber: Scrubber) -> Issue:
    first = min(arrivals, key=lambda arrival: arrival.at)
    return Issue(
        service=service,
        grouping_version=first.grouping.version,
        fingerprint=first.grouping.key,
        first_seen_at=first.at,
        last_seen_at=max(arrival.at for arrival in arrivals),
        **_named_after(first, scrubber),
    )


def _named_after(first: _Arrival, scrubber: Scrubber) -> dict[str, Any]:  # Any: values of an issue's columns
    """What an issue says of itself, taken from its first event."""
    clean = _clean(first.parsed.event, scrubber)
    # explained by what may be read: taking the values out of a secret can leave a part of it that nobody recognises
    said = group(clean, [scrubber.text(part) for part in first.parsed.sent_fingerprint])
    return {
        "explanation": {"parts": [scrubber.text(part) for part in said.explanation]},
        "type": clean.type[:200],
        "title": _title(clean)[:300],
        "culprit": scrubber.text(said.culprit)[:300],
        "level": first.parsed.level,
        "first_release": first.release,
    }


def _clean(event: Report, scrubber: Scrubber) -> Report:
    """The event with its texts as they may be read."""
    return dataclasses.replace(
        event,
        type=scrubber.text(event.type),
        message=scrubber.text(event.message),
        transaction=scrubber.text(event.transaction),
        logger=scrubber.text(event.logger),
    )


def _title(event: Report) -> str:
    """What a list calls the issue: type and first line of the message. `event` holds no secrets any more."""
    message = event.message.strip().partition("\n")[0]
    if event.type and message:
        return f"{event.type}: {message}"
    return event.type or message or event.transaction or event.logger or "error without a message"


def _row(
    service: Service, issue: Issue, arrival: _Arrival, scrubber: Scrubber, wholes: Mapping[int, Issue]
) -> ErrorEvent:
    event = arrival.parsed.event
    message = scrubber.text(event.message)
    return ErrorEvent(
        service=service,
        event_id=event.event_id,
        issue=wholes.get(issue.pk, issue),
        part=issue.pk if issue.pk in wholes else None,
        environment=arrival.environment,
        timestamp=arrival.at,
        received_at=arrival.received_at,
        release=arrival.release,
        host=arrival.host,
        level=arrival.parsed.level,
        user_key=arrival.user_key,
        trace_key=arrival.trace_key,
        is_from_request=arrival.parsed.from_request,
        message=message,
        flags={scrubber.text(name): value for name, value in event.flags.items()} or None,
        tags=scrubber.value(dict(event.tags)) or None,
        payload=zstd.compress(
            arrival.parsed.payload or orjson.dumps(scrubber.value(_minimal_payload(event, message))), _ZSTD_LEVEL
        ),
    )


def _minimal_payload(event: Report, message: str) -> dict[str, Any]:  # Any: JSON
    """A report for events that came as parsed values, in the protocol's own words: what a reader needs is the stack."""
    frames = [
        {
            name: value
            for name, value in (
                ("filename", frame.file),
                ("module", frame.module),
                ("function", frame.function),
                ("lineno", frame.line or None),
                ("in_app", frame.in_app),
            )
            if value not in (None, "")
        }
        for frame in event.frames
    ]
    entry: dict[str, Any] = {"type": event.type, "value": message}  # Any: JSON
    return {"exception": {"values": [entry | ({"stacktrace": {"frames": frames}} if frames else {})]}}


def bucket_of(at: dt.datetime) -> dt.datetime:
    """The start of the five minutes that contain `at`."""
    seconds = int(at.timestamp())
    return dt.datetime.fromtimestamp(seconds - seconds % BUCKET_SECONDS, dt.UTC)


def _count(by_issue: Mapping[int, Sequence[_Arrival]]) -> None:
    counts = Counter(
        (issue, each.environment.pk, bucket_of(each.at), *each.counted_as)
        for issue, arrivals in by_issue.items()
        for each in arrivals
    )
    add_up(
        model=IssueCount,
        keys=["issue", "environment", "bucket_at", "release", "host"],
        counters=["count"],
        rows=[(*key, count) for key, count in counts.items()],
    )


def _add_users(by_issue: Mapping[int, Sequence[_Arrival]]) -> Counter[int]:
    """Notes users seen for the first time; how many, by issue. The issues' locks keep two writers apart."""
    seen: dict[tuple[int, str], dt.datetime] = {}
    for issue, arrivals in by_issue.items():
        for each in arrivals:
            if each.user_key:
                key = (issue, each.user_key)
                seen[key] = min(each.at, seen.get(key, each.at))
    if not seen:
        return Counter()
    rows = IssueUser.objects.filter(issue__in={issue for issue, _ in seen}, user_key__in={user for _, user in seen})
    known = {(row.issue_id, row.user_key): row for row in rows}
    fresh = [key for key in seen if key not in known]
    late = [known[key] for key in sorted(seen) if key in known and seen[key] < known[key].first_seen_at]
    for row in late:
        row.first_seen_at = seen[row.issue_id, row.user_key]
    IssueUser.objects.bulk_update(late, ["first_seen_at"])
    IssueUser.objects.bulk_create(
        [IssueUser(issue_id=issue, user_key=user, first_seen_at=seen[issue, user]) for issue, user in sorted(fresh)]
    )
    return Counter(issue for issue, _ in fresh)


def _touch(
    by_issue: Mapping[int, Sequence[_Arrival]],
    new_users: Counter[int],
    *,
    is_evidence_only: bool,
    is_part: bool = False,
) -> None:
    """Adds to the issues' totals. Raw, because hundreds of issues in a batch would cost hundreds of built queries.

    The events of a part are kept with the whole.
    """
    field = Issue._meta.get_field("last_seen_at")
    least, greatest = ("MIN", "MAX") if connection.vendor == "sqlite" else ("LEAST", "GREATEST")
    dirty = "" if is_evidence_only else ", dirty_at = %s"
    rows = []
    for issue, arrivals in sorted(by_issue.items()):
        instants = [each.at for each in arrivals]
        values: list[Any] = [
            len(arrivals),
            0 if is_part else len(arrivals),
            new_users[issue],
        ]  # Any: what the database driver takes
        moments = [min(instants), max(instants)]
        if not is_evidence_only:
            moments.append(max(each.received_at for each in arrivals))
        values += [field.get_db_prep_save(moment, connection) for moment in moments]
        rows.append((*values, issue))
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {Issue._meta.db_table} SET events_count = events_count + %s, kept_count = kept_count + %s, users_count = users_count + %s, "  # noqa: S608 -- names from the model
                f"first_seen_at = {least}(first_seen_at, %s), last_seen_at = {greatest}(last_seen_at, %s){dirty} WHERE id = %s",
                rows,
            )


def _begin_earlier(issues: Iterable[Issue], by_issue: Mapping[int, Sequence[_Arrival]], scrubber: Scrubber) -> None:
    """An issue is named after its first event. One that comes late and is older than all others names it anew.

    The overflow issue keeps its own name.
    """
    for issue in issues:
        if (issue.grouping_version, issue.fingerprint) == OVERFLOW:
            continue
        first = min(by_issue.get(issue.pk, ()), key=lambda arrival: arrival.at, default=None)
        if first is not None and first.at < issue.first_seen_at:
            Issue.objects.filter(pk=issue.pk).update(**_named_after(first, scrubber))


def _reopen(issues: Iterable[Issue], by_issue: Mapping[int, Sequence[_Arrival]]) -> None:
    """A resolved issue that happens again is open again, unless only releases from before the fix still report it."""
    for issue in issues:
        arrivals = by_issue.get(issue.pk, ())
        if issue.status != Issue.Status.RESOLVED or issue.resolved_at is None or not arrivals:
            continue
        again = [each for each in arrivals if each.at > issue.resolved_at]
        if again and issue.resolved_in_release:
            old = set(
                IssueCount.objects.filter(issue=issue, bucket_at__lt=issue.resolved_at).values_list(
                    "release", flat=True
                )
            ) - {issue.resolved_in_release}
            again = [each for each in again if each.release not in old]
        if again:
            Issue.objects.filter(pk=issue.pk, status=Issue.Status.RESOLVED).update(
                status=Issue.Status.OPEN, regressed_at=min(each.at for each in again)
            )


def _note_last_event(service: Service, received_at: dt.datetime) -> None:
    """For the page that waits for the first event, and for the notice when a service falls silent."""
    later = models.Q(last_event_at__isnull=True) | models.Q(last_event_at__lt=received_at)
    Service.objects.filter(later, pk=service.pk).update(last_event_at=received_at)
    if service.first_event_at is None:
        Service.objects.filter(pk=service.pk, first_event_at__isnull=True).update(first_event_at=received_at)
