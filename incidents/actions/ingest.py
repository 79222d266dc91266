"""Takes what was acknowledged out of the inbox: once, in order, and without letting one bad body hold up the others.

PostgreSQL: the inbox is a table of the same database; rows are claimed with SKIP LOCKED and deleted in the transaction
that digests them, by as many workers as there are. SQLite: the inbox is a file of its own; one process digests at a
time (a file lock, which a killed process gives back), and the ids of the batch are committed with what became of it,
so that a death before the rows are deleted repeats nothing.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import itertools
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from deploys import failpoints
from deploys.domain.instants import floor_hour
from deploys.models import Service
from incidents.actions import poison
from incidents.actions.cardinality import NAMES, Kind
from incidents.actions.claims import by_turns
from incidents.actions.digest import digest_events, names_of
from incidents.actions.jobs import record_check_ins
from incidents.actions.requests import count_requests
from incidents.actions.sessions import count_sessions
from incidents.actions.traffic import TrafficLine, record_losses, record_outcomes, record_sessions
from incidents.domain.event import ParsedEvent
from incidents.domain.scrubbing import DEFAULT, Scrubber
from incidents.domain.sender_clocks import HostClocks
from incidents.formats.incoming import Contents, read_contents
from incidents.models import DeadLetter, DigestMark, InboxItem
from incidents.queries.privacy import scrubbers_of

logger = logging.getLogger(__name__)

BATCH = 100
#: Bytes of compressed bodies in one batch: keeps the worker's memory flat whatever lies in the inbox.
BATCH_BYTES = 4 * 1024 * 1024
#: Doubtful bodies, at hand when a worker died, wait for all others, but no longer than this many batches.
DOUBTFUL_EVERY = 10
_MARK = "inbox"
_clocks = HostClocks()


@dataclass(slots=True)
class Drained:
    """What one drain did. `is_busy` says that another process is at it."""

    taken_count: int = 0
    stored_count: int = 0
    dead_count: int = 0
    is_busy: bool = False


@dataclass(frozen=True, slots=True)
class _Taken:
    """A batch of bodies and the note that says so."""

    rows: list[InboxItem]
    in_hand: int | None


@dataclass(slots=True)
class _Readable:
    """Bodies of one batch that could be read, by service."""

    contents: dict[int, list[tuple[InboxItem, Contents]]] = field(default_factory=lambda: defaultdict(list))
    dead: list[tuple[InboxItem, str]] = field(default_factory=list)


def drain(*, now: dt.datetime, most: int | None = None, share: Callable[[], object] = lambda: None) -> Drained:
    """Digests the inbox until it is empty, or until `most` rows were taken.

    `share` is called once, after a whole batch: others may join in. Not called where only one may digest.

    A database that is away or locked for too long raises; every row stays where it is then. Safe to run at any time,
    in any number of processes, and to be killed.
    """
    total = Drained()
    with _only_one() as is_mine:
        if not is_mine:
            return Drained(is_busy=True)
        _finish_last_batch()
        poison.examine_deaths()
        for number in itertools.count(1):
            size = BATCH if most is None else min(BATCH, most - total.taken_count)
            done = _drain_batch(now, size, doubtful_first=number % DOUBTFUL_EVERY == 0) if size else Drained()
            if not done.taken_count:
                break
            if number == 1 and done.taken_count == BATCH and not _is_apart():
                share()
            total.taken_count += done.taken_count
            total.stored_count += done.stored_count
            total.dead_count += done.dead_count
    return total


def is_waiting() -> bool:
    """Is there anything to digest?"""
    return InboxItem.objects.exists()


@contextmanager
def _only_one() -> Iterator[bool]:
    """Only the embedded mode needs this: its inbox is not in the digest's transaction."""
    if not _is_apart():
        yield True
        return
    path = Path(settings.DATA_DIR) / "inbox.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _is_apart() -> bool:
    return str(settings.INBOX_ALIAS) != "default"


def _finish_last_batch() -> None:
    """Deletes what was digested by a process that died before it could do so."""
    if _is_apart():
        for mark in DigestMark.objects.filter(name=_MARK):
            InboxItem.objects.filter(pk__in=mark.inbox_ids).delete()


def _drain_batch(now: dt.datetime, size: int, *, doubtful_first: bool) -> Drained:
    batch = None
    try:
        if _is_apart():  # nobody else takes any, so the writers of the main file need not wait for the inbox
            batch = _take(size, doubtful_first=doubtful_first)
        with transaction.atomic():
            batch = batch or _take(size, doubtful_first=doubtful_first)
            if not batch.rows:
                return Drained()
            failpoints.reach("digest.taken")
            stored, dead = _digest_rows(batch.rows, now)
            _count_bodies(batch.rows, dead, now)
            if _is_apart():
                ids = [row.pk for row in batch.rows]
                DigestMark.objects.update_or_create(name=_MARK, defaults={"inbox_ids": ids})
            else:
                _clear(batch, dead, now)
            failpoints.reach("digest.committing")
        failpoints.reach("digest.committed")
        if _is_apart():
            with transaction.atomic(using=settings.INBOX_ALIAS):
                _clear(batch, dead, now)
        failpoints.reach("digest.cleared")
    except (OperationalError, InterfaceError):  # not the bodies' fault: a lock, a full disk, a database that went away
        if batch is not None:
            poison.put_back(batch.in_hand)
        raise
    if dead:
        logger.warning("bodies went to the dead letters", extra={"quantity": len(dead)})
    return Drained(taken_count=len(batch.rows), stored_count=stored, dead_count=len(dead))


def _take(size: int, *, doubtful_first: bool) -> _Taken:
    rows = _claim(size, doubtful_first=doubtful_first)
    return _Taken(rows, poison.take_in_hand([row.pk for row in rows]) if rows else None)


def _clear(batch: _Taken, dead: Sequence[tuple[InboxItem, str]], now: dt.datetime) -> None:
    """Takes digested rows out of the inbox."""
    _bury(dead, now)
    InboxItem.objects.filter(pk__in=[row.pk for row in batch.rows]).delete()
    poison.let_go(batch.in_hand)


def _claim(size: int, *, doubtful_first: bool) -> list[InboxItem]:
    """Rows that no worker has died with, at most BATCH_BYTES of them (but one at least); else doubtful ones."""
    waiting = InboxItem.objects.all()
    if not _is_apart():
        waiting = waiting.select_for_update(skip_locked=True)
    if doubtful_first and (rows := poison.next_doubtful(waiting, size)):
        return rows
    rows = by_turns(waiting.filter(attempts=0), size=size, most_bytes=BATCH_BYTES)
    return rows or poison.next_doubtful(waiting, size)


def _digest_rows(rows: Sequence[InboxItem], now: dt.datetime) -> tuple[int, list[tuple[InboxItem, str]]]:
    """How many events were stored, and which rows cannot be, with the reason. Halves what fails until one is left."""
    if not rows:
        return 0, []
    if rows[0].attempts >= poison.MAX_DEATHS:
        return 0, [(rows[0], f"the worker died {rows[0].attempts} times while this was being digested")]
    try:
        with transaction.atomic():
            return _digest_batch(rows, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is becomes the reason of a dead letter
        if len(rows) == 1:
            # databases quote what they refuse, so neither the error's text nor its trace goes anywhere as it is
            reason = DEFAULT.text(f"{type(error).__name__}: {error}"[:2_000])
            logger.error("a body could not be digested", extra={"reason": reason, "project": rows[0].project})
            return 0, [(rows[0], reason)]
    middle = len(rows) // 2
    stored, dead = _digest_rows(rows[:middle], now)
    more_stored, more_dead = _digest_rows(rows[middle:], now)
    return stored + more_stored, dead + more_dead


def _digest_batch(rows: Sequence[InboxItem], now: dt.datetime) -> tuple[int, list[tuple[InboxItem, str]]]:
    projects = {row.project for row in rows}
    services = {
        service.number: service
        for service in Service.objects.select_related("team").filter(number__in=projects).order_by("pk")
    }
    by_team = scrubbers_of(service.team_id for service in services.values())
    scrubbers = {number: by_team[service.team_id] for number, service in services.items()}
    batch = _read(rows, scrubbers)
    failpoints.reach("digest.read")
    _keep_names(batch, services, scrubbers)
    stored = 0
    for number, found in sorted(batch.contents.items()):
        service = services.get(number)
        if service is None:
            batch.dead += [(row, "the service was deleted") for row, _ in found]
        else:
            stored += _digest_service(service, found, now, scrubbers[number])
    failpoints.reach("digest.stored")
    return stored, batch.dead


def _read(rows: Sequence[InboxItem], scrubbers: Mapping[int, Scrubber]) -> _Readable:
    """Every body as values. A body that cannot be read is dead; one that can is read before any lock is taken."""
    batch = _Readable()
    for row in rows:
        try:
            contents = read_contents(
                bytes(row.body),
                kind=row.kind,
                coding=row.encoding,
                event_id=row.event_id,
                received_at=row.received_at,
                scrubber=scrubbers.get(row.project, DEFAULT),
                clocks=_clocks,
                project=row.project,
            )
        except ValueError as error:
            batch.dead.append((row, DEFAULT.text(f"{type(error).__name__}: {error}"[:2_000])))
            continue
        batch.contents[row.project].append((row, contents))
    return batch


def _keep_names(batch: _Readable, services: Mapping[int, Service], scrubbers: Mapping[int, Scrubber]) -> None:
    """Settles which releases and hosts of the batch counts are kept by, before any other lock is taken."""
    wanted: dict[Kind, set[str]] = {}
    for number, found in batch.contents.items():
        service = services.get(number)
        if service is not None:
            releases, hosts = names_of((event for _, each in found for event in each.events), scrubbers[number])
            counted = {line.release[:250] for _, each in found for line in each.traffic}
            sessions = {update.release[:250] for _, each in found for update in each.sessions}
            wanted[service, "release"] = {*releases.values(), *counted, *sessions}
            wanted[service, "host"] = set(hosts.values())
    NAMES.kept(wanted)


def _digest_service(
    service: Service, found: Sequence[tuple[InboxItem, Contents]], now: dt.datetime, scrubber: Scrubber
) -> int:
    events: list[ParsedEvent] = []
    instants: list[dt.datetime] = []
    outcomes: Counter[tuple[str, str]] = Counter()
    by_hour: dict[dt.datetime, list[TrafficLine]] = defaultdict(list)
    for row, contents in found:
        events += contents.events
        instants += [row.received_at] * len(contents.events)
        outcomes.update({(kind, "skipped"): count for kind, count in contents.skipped.items() if count})
        hour = floor_hour(row.received_at)
        by_hour[hour] += [
            TrafficLine(at=each.at, seconds=60, count=each.count, failed=each.failed, environment=each.environment, release=each.release)
            for each in contents.traffic
        ]  # fmt: skip
    digested = digest_events(service=service, events=events, received_at=instants, scrubber=scrubber)
    updates = [(update, row.received_at) for row, contents in found for update in contents.sessions]
    for hour, lines in count_sessions(service=service, updates=updates).items():
        by_hour[hour] += lines
    for hour, lines in sorted(by_hour.items()):
        record_sessions(service=service, lines=lines, received_at=hour)
        outcomes["session", "counted"] += sum(line.count for line in lines)
    requests = [request for _, contents in found for request in contents.requests]
    outcomes["request", "counted"] = count_requests(service=service, requests=requests, received_at=now)
    check_ins = [check_in for _, contents in found for check_in in contents.check_ins]
    outcomes["check_in", "counted"] = record_check_ins(service=service, check_ins=check_ins, now=now)
    losses = [
        (loss.at or row.received_at, loss.reason, loss.category, loss.quantity)
        for row, contents in found
        for loss in contents.losses
    ]
    record_losses(service=service, losses=losses)
    outcomes["event", "stored"] = digested.stored_count
    outcomes["event", "duplicate"] = digested.duplicate_count
    record_outcomes(
        service=service, outcomes=[(*key, count) for key, count in outcomes.items() if count], received_at=now
    )
    return digested.stored_count


def _count_bodies(rows: Sequence[InboxItem], dead: Sequence[tuple[InboxItem, str]], now: dt.datetime) -> None:
    """Counts what was accepted, in the hour of its receipt, and what of it is dead, in this one."""
    accepted = Counter((row.project, floor_hour(row.received_at)) for row in rows)
    lost = Counter(row.project for row, _ in dead)
    services = {each.number: each for each in Service.objects.filter(number__in={row.project for row in rows})}
    for (number, hour_at), quantity in sorted(accepted.items()):
        if number in services:
            outcomes = [("body", "accepted", quantity)]
            record_outcomes(service=services[number], outcomes=outcomes, received_at=hour_at)
    for number, quantity in sorted(lost.items()):
        if number in services:
            record_outcomes(service=services[number], outcomes=[("body", "dead", quantity)], received_at=now)


def _bury(dead: Sequence[tuple[InboxItem, str]], now: dt.datetime) -> None:
    DeadLetter.objects.bulk_create(
        [
            DeadLetter(
                project=row.project,
                kind=row.kind,
                encoding=row.encoding,
                event_id=row.event_id,
                body=row.body,
                received_at=row.received_at,
                failed_at=now,
                reason=reason,
            )
            for row, reason in dead
        ]
    )


def replay_dead_letters(*, ids: Sequence[int]) -> int:
    """Puts dead letters back into the inbox, for after the reason is gone; how many there were."""
    with transaction.atomic(using=settings.INBOX_ALIAS):
        letters = list(DeadLetter.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        InboxItem.objects.bulk_create(
            [
                InboxItem(
                    project=letter.project,
                    kind=letter.kind,
                    encoding=letter.encoding,
                    event_id=letter.event_id,
                    body=letter.body,
                    received_at=letter.received_at,
                )
                for letter in letters
            ]
        )
        DeadLetter.objects.filter(pk__in=[letter.pk for letter in letters]).delete()
    return len(letters)


def discard_dead_letters(*, ids: Sequence[int]) -> int:
    """Deletes dead letters for good; how many there were."""
    with transaction.atomic(using=settings.INBOX_ALIAS):
        deleted, _ = DeadLetter.objects.filter(pk__in=ids).delete()
    return deleted
