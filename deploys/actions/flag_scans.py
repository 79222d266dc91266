"""What scans of source code found, kept as evidence; the count of references of each flag goes into the history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deploys.actions.deploys import Verdict
from deploys.actions.facts import NewFact, lock_team, record_facts
from deploys.actions.flag_registry import SOURCE
from deploys.actions.turns import one_write
from deploys.domain.flag_code import ScanReport, code_evidence
from deploys.models import (
    Flag,
    FlagReference,
    FlagRepository,
    FlagScan,
    FlagTrace,
    RegisteredFlag,
    Service,
    Team,
)
from deploys.queries.chunks import chunks
from deploys.queries.flag_code import code_of

MOST_PATHS: Final = 50
SCANS_KEPT: Final = dt.timedelta(days=400)


@dataclass(frozen=True, slots=True)
class RecordedScan:
    """What became of a scan, how many flags it found, and names of services that are none of the team's."""

    repository: FlagRepository
    verdict: Verdict
    keys_count: int
    unknown_services: tuple[str, ...] = ()


def record_scan(*, team: Team, report: ScanReport, received_at: dt.datetime) -> RecordedScan:
    """The newest scan of a repository replaces the one before; one that is older than what stands changes nothing.

    A scan cannot be younger than its receipt. An incomplete one shows what it found, and takes nothing for gone.
    """
    scanned_at = min(report.scanned_at, received_at)
    counted = report.counted()
    with one_write():
        lock_team(team)
        row = FlagRepository.objects.filter(team=team, name=report.repository).first()
        if row is not None and _is_known(row, report.commit, scanned_at):
            return RecordedScan(row, Verdict.DUPLICATE, len(counted))
        is_first = row is None
        row = row or FlagRepository(team=team, name=report.repository)
        row.branch, row.commit_sha, row.link, row.scanner = report.branch, report.commit, report.link, report.scanner
        row.scanned_at, row.received_at, row.files_count = scanned_at, received_at, report.files_count
        row.is_complete = report.is_complete
        row.dynamic = [
            {"path": each.path, "line": each.line, "prefix": each.prefix, "suffix": each.suffix}
            for each in report.dynamic
        ]
        row.save()
        unknown = _name_services(row, report.services)
        _keep_commit(row, report, scanned_at)
        FlagReference.objects.filter(repository=row).delete()
        FlagReference.objects.bulk_create(
            [
                FlagReference(repository=row, key=each.key, path=each.path, line=each.line, kind=each.kind)
                for each in report.places
            ],
            batch_size=500,
        )
        _trace(row, report, scanned_at)
        tell_references(team=team, now=received_at)
    return RecordedScan(row, Verdict.CREATED if is_first else Verdict.UPDATED, len(counted), unknown)


def _is_known(row: FlagRepository, commit: str, scanned_at: dt.datetime) -> bool:
    """Whether a scan says nothing new: an older one, the newest again, or a job of an older commit that was run again."""
    if commit == row.commit_sha or scanned_at < row.scanned_at:
        return scanned_at <= row.scanned_at
    return FlagScan.objects.filter(repository=row, commit_sha=commit).exists()


def _name_services(row: FlagRepository, names: Sequence[str]) -> tuple[str, ...]:
    """The services built from this repository. Those nobody knows are left out: a scan makes no service."""
    known = {each.name: each for each in Service.objects.filter(team=row.team_id, name__in=list(names))}
    if known or not names:
        row.services.set(known.values())
    return tuple(name for name in dict.fromkeys(names) if name not in known)


def _keep_commit(row: FlagRepository, report: ScanReport, scanned_at: dt.datetime) -> None:
    FlagScan.objects.update_or_create(
        repository=row, commit_sha=report.commit, defaults={"scanned_at": scanned_at, "is_complete": report.is_complete}
    )
    FlagScan.objects.filter(repository=row, scanned_at__lt=scanned_at - SCANS_KEPT).delete()


def _trace(row: FlagRepository, report: ScanReport, scanned_at: dt.datetime) -> None:
    """What was ever there; what is gone, and by which commit, where the scanner found it."""
    counted = report.counted()
    known = {trace.key: trace for trace in FlagTrace.objects.filter(repository=row)}
    fresh, changed = [], []
    for key, places in counted.items():
        trace = known.get(key)
        paths = sorted({place.path for place in places})[:MOST_PATHS]
        if trace is None:
            fresh.append(
                FlagTrace(repository=row, key=key, first_seen_at=scanned_at, last_seen_at=scanned_at, paths=paths)
            )
            continue
        trace.last_seen_at, trace.paths, trace.gone_scanned_at = scanned_at, paths, None
        trace.gone_commit, trace.gone_committed_at = "", None
        changed.append(trace)
    removals = {each.key: each for each in report.removed}
    for key, trace in known.items():
        if key in counted or trace.gone_scanned_at is not None or not report.is_complete:
            continue
        removal = removals.get(key)
        trace.gone_scanned_at = scanned_at
        if removal is not None:
            trace.gone_commit, trace.gone_committed_at = removal.commit, removal.at
        changed.append(trace)
    FlagTrace.objects.bulk_create(fresh, batch_size=500)
    FlagTrace.objects.bulk_update(
        changed, ["last_seen_at", "paths", "gone_scanned_at", "gone_commit", "gone_committed_at"], batch_size=200
    )


def tell_references(*, team: Team, now: dt.datetime) -> int:
    """Puts counts of references that changed into the history: null where nothing is certain any more. How many.

    Also run once in a while without any scan: a count that nobody confirms for a week is known no longer. Idempotent.
    """
    counts = {
        key: code_evidence(repositories, now).count
        for key, repositories in code_of(team).items()
        if any(each.was_there for each in repositories)  # of others a sender may know what no scan can
    }
    if not counts:
        return 0
    facts = [
        NewFact("flag", {"key": key, "environment": environment, "code_references": counts[key]}, now, source=SOURCE)
        for key, environment, told in _told(team, counts)
        if told != counts[key]
    ]
    for some in chunks(facts):
        record_facts(team=team, facts=some)
    return len(facts)


def _told(team: Team, keys: Mapping[str, object]) -> Iterable[tuple[str, str, int | None]]:
    """What the history says of these flags in production: key, environment, count. Archived flags are left as they are."""
    archived = set(RegisteredFlag.objects.filter(team=team, archived_at__isnull=False).values_list("key", flat=True))
    rows = Flag.objects.filter(team=team, environment__tier="production", archived_at__isnull=True)
    for row in rows.select_related("environment"):
        if row.key in keys and row.key not in archived:
            yield row.key, row.environment.name, row.code_references


def refresh_references(*, now: dt.datetime) -> int:
    """Withdraws counts that no scan confirms any more, team by team. How many changed."""
    changed = 0
    for team in Team.objects.filter(flag_repositories__isnull=False).distinct():
        with one_write():
            lock_team(team)
            changed += tell_references(team=team, now=now)
    return changed
