"""Whether what is live contains the commit that took a flag out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from deploys.domain.flag_proof import LiveCode
from deploys.models import Commit, Deploy, FlagRepository, FlagScan, FlagTrace, Team

MOST_SCANS: Final = 500


@dataclass(frozen=True, slots=True)
class _Proving:
    """Commits any of which proves that a version has the key no more, in one repository, and when the key went at the earliest."""

    services: tuple[int, ...]
    shas: frozenset[str]
    since: dt.datetime


def live_code(team: Team, keys: Collection[str]) -> dict[str, list[LiveCode]]:
    """For each of these keys, every live version of every service built from a repository that had it.

    A version contains the removal if a deploy on its way there was built from, or lists, the removing commit or one in
    which a later complete scan found the key gone. A version that went live before the key went cannot contain it. Else,
    where deploys do not say which commits they contain, nobody knows. Seven queries at most, however many keys.
    """
    proving = _proving(team, keys)
    services = {service for each in proving.values() for one in each for service in one.services}
    if not services:
        return {}
    live = Deploy.objects.filter(team=team, service__in=services, is_live_listed=True)
    tops = list(
        live.select_related("service", "environment", "release").order_by(
            "service__name", "environment__name", "-started_at"
        )
    )
    rows = list({(row.service_id, row.environment_id): row for row in reversed(tops)}.values())[::-1]
    holding = _holding(team, services, {sha for each in proving.values() for one in each for sha in one.shas})
    return {
        key: [
            _told(row, one, holding) for one in each for row in rows if row.service_id in one.services
        ]
        for key, each in proving.items()
    }  # fmt: skip


def _proving(team: Team, keys: Collection[str]) -> dict[str, list[_Proving]]:
    traces = list(
        FlagTrace.objects.filter(repository__team=team, key__in=list(keys), gone_scanned_at__isnull=False).order_by(
            "pk"
        )
    )
    repositories = {
        row.pk: row
        for row in FlagRepository.objects.filter(pk__in={each.repository_id for each in traces}).prefetch_related(
            "services"
        )
    }
    scans: dict[int, list[FlagScan]] = {}
    for scan in FlagScan.objects.filter(repository__in=repositories, is_complete=True).order_by("-scanned_at")[
        : MOST_SCANS * max(len(repositories), 1)
    ]:
        scans.setdefault(scan.repository_id, []).append(scan)
    found: dict[str, list[_Proving]] = {}
    for trace in traces:
        gone_at = trace.gone_scanned_at or trace.last_seen_at
        shas = {scan.commit_sha for scan in scans.get(trace.repository_id, ()) if scan.scanned_at >= gone_at}
        found.setdefault(trace.key, []).append(
            _Proving(
                tuple(service.pk for service in repositories[trace.repository_id].services.all()),
                frozenset(shas | ({trace.gone_commit} if trace.gone_commit else set())),
                trace.gone_committed_at or trace.last_seen_at,
            )
        )
    return found


def _holding(
    team: Team, services: Iterable[int], shas: Collection[str]
) -> list[tuple[int, int, dt.datetime, frozenset[str]]]:
    """Deploys that are part of what may be live, and which of these commits each was built from or lists."""
    stacked = Deploy.objects.filter(
        team=team,
        service__in=services,
        is_stacked_listed=True,
        undone_listed_at__isnull=True,
        live_listed_at__isnull=False,
    )
    wanted = list(shas)[:MOST_SCANS]
    built = stacked.filter(Q(commit_sha__in=wanted) | Q(release__head_sha__in=wanted)).select_related("release")
    found: dict[int, tuple[int, int, dt.datetime, set[str]]] = {}
    for row in built:
        if row.live_listed_at is None:
            continue  # filtered above; the type does not know
        own = {row.commit_sha, row.release.head_sha if row.release else ""}
        found[row.pk] = (row.service_id, row.environment_id, row.live_listed_at, own & set(wanted))
    listed = Commit.deploys.through.objects.filter(deploy__in=stacked, commit__sha__in=wanted)
    for pk, service, environment, live_at, sha in listed.values_list(
        "deploy", "deploy__service_id", "deploy__environment_id", "deploy__live_listed_at", "commit__sha"
    ):
        if live_at is None:
            continue  # filtered above; the type does not know
        found.setdefault(pk, (service, environment, live_at, set()))[3].add(sha)
    return [(service, environment, live_at, frozenset(own)) for service, environment, live_at, own in found.values()]


def _told(row: Deploy, proving: _Proving, holding: Iterable[tuple[int, int, dt.datetime, frozenset[str]]]) -> LiveCode:
    live_at = row.live_listed_at
    since = [
        at for service, environment, at, shas in holding
        if (service, environment) == (row.service_id, row.environment_id) and shas & proving.shas and (live_at is None or at <= live_at)
    ]  # fmt: skip
    has = True if since else False if live_at is not None and live_at < proving.since else None
    return LiveCode(
        row.service.name,
        row.environment.name,
        row.release.version if row.release else "",
        has,
        min(since, default=None),
    )
