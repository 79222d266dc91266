"""Commits of a release or of one deploy. Every commit is a fact; saying it again, or in another order, changes nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from deploys.actions.catalog import services_by_name
from deploys.actions.facts import (
    HISTORY,
    NewFact,
    facts_of_records,
    folded_record,
    identity_of,
    lock_team,
    record_facts,
)
from deploys.domain.commits import CommitReport, files_of
from deploys.domain.records import fold
from deploys.models import Commit, CommitDeploy, Deploy, FactOrigin, Release, ReleaseCommit, Team
from deploys.ports import Record
from deploys.queries.chunks import chunks


@dataclass(frozen=True, slots=True)
class Attached:
    """The release, how many commits it did not have before, and whether any deploy learned of one by it."""

    release: Release
    new_count: int
    is_news: bool


@transaction.atomic
def attach_commits(
    *,
    team: Team,
    service: str,
    version: str,
    commits: Sequence[CommitReport],
    received_at: dt.datetime,
    origin: str = FactOrigin.LIVE,
) -> Attached:
    """These commits are part of this version of this service, newest first, beside those that are known already.

    Every deploy of the version lists them, whether it comes before or after this. The service and the release are made
    where they are missing. A deploy whose sender named no changed files gets those of the commits.
    """
    lock_team(team)
    release = release_named(team=team, service=service, version=version, at=received_at)
    deploys = list(Deploy.objects.filter(release=release).select_related("change", "service"))
    is_news = _record(team, commits, deploys, received_at=received_at, origin=origin)
    new_count = _link(team, release, commits)
    before = release.files
    if commits and _grow(release, commits):
        is_news = True
        open_to_files = [each for each in deploys if each.files is None or each.files == before]
        _say_files(team, open_to_files, release.files, received_at=received_at, origin=origin)
    return Attached(release, new_count, is_news or new_count > 0)


@transaction.atomic
def record_commits(
    *, team: Team, commits: Sequence[CommitReport], received_at: dt.datetime, origin: str = FactOrigin.LIVE
) -> bool:
    """These commits exist, whatever contains them. False where all of it was known."""
    lock_team(team)
    return _record(team, commits, [], received_at=received_at, origin=origin)


@transaction.atomic
def list_commits(
    *,
    team: Team,
    deploy: Deploy,
    commits: Sequence[CommitReport],
    received_at: dt.datetime,
    origin: str = FactOrigin.LIVE,
) -> bool:
    """This deploy contains these commits, beside those that are known already. False where all of it was known."""
    lock_team(team)
    return _record(team, commits, [deploy], received_at=received_at, origin=origin)


def inherit_commits(*, team: Team, deploy: Deploy, received_at: dt.datetime, origin: str = FactOrigin.LIVE) -> bool:
    """The deploy lists the commits and files of its release. False where it did already. One query where there are none."""
    if deploy.release_id is None:
        return False
    shas = list(ReleaseCommit.objects.filter(release=deploy.release_id).values_list("commit__sha", flat=True))
    return bool(shas) and _inherit(team, deploy, deploy.release_id, shas, received_at=received_at, origin=origin)


@transaction.atomic
def _inherit(
    team: Team, deploy: Deploy, release_id: int, shas: Sequence[str], *, received_at: dt.datetime, origin: str
) -> bool:
    lock_team(team)
    is_news = _record(team, [CommitReport(sha) for sha in shas], [deploy], received_at=received_at, origin=origin)
    files = Release.objects.values_list("files", flat=True).get(pk=release_id)
    if deploy.files is None and files:
        _say_files(team, [deploy], files, received_at=received_at, origin=origin)
        is_news = True
    return is_news


def clear_commits(*, release: Release) -> int:
    """The release has no commits from now on; how many it had. Deploys that list them were deployed with them: they stay so."""
    with transaction.atomic():
        lock_team(release.service.team)
        count, _ = ReleaseCommit.objects.filter(release=release).delete()
        Release.objects.filter(pk=release.pk).update(files=None, head_sha="")
    return count


def release_named(*, team: Team, service: str, version: str, at: dt.datetime) -> Release:
    """The version of the service; both made where they are missing."""
    owner = services_by_name(team=team, names=[service], now=at)[service]
    release, _ = Release.objects.select_related("service__team").get_or_create(
        service=owner, version=version[:250], defaults={"created_at": at}
    )
    return release


def _record(
    team: Team, commits: Sequence[CommitReport], deploys: Sequence[Deploy], *, received_at: dt.datetime, origin: str
) -> bool:
    """Records a fact for each commit about which something is new; whether there was any."""
    unique = {each.sha: each for each in commits}
    references = [str(deploy.change.public_id) for deploy in deploys]
    missing = _missing_links(team, unique, references)
    names = {sha: identity_of("change", HISTORY, {"sha": sha}) for sha in unique}
    held = facts_of_records(team=team, kind="change", identities=list(names.values()))
    facts: list[NewFact] = []
    for sha, each in unique.items():
        payload = {**each.payload, **({"deploys": missing[sha]} if missing[sha] else {})}
        if not held.get(names[sha]) or _is_news(folded_record("change", names[sha], held[names[sha]]), payload):
            facts.append(NewFact(kind="change", payload=payload, received_at=received_at, origin=origin))
    for some in chunks(facts):
        record_facts(team=team, facts=some, held=held)
    return bool(facts)


def _is_news(known: Record, payload: Mapping[str, Any]) -> bool:  # Any: JSON
    return fold("change", [known.payload, payload]) != known.payload


def _missing_links(team: Team, shas: Collection[str], references: Sequence[str]) -> Mapping[str, list[str]]:
    """By hash, the deploys that do not list the commit yet."""
    listed: dict[str, set[str]] = defaultdict(set)
    if references:
        for some in chunks(list(shas)):
            rows = CommitDeploy.objects.filter(team=team, commit__sha__in=some, reference__in=references)
            for sha, reference in rows.values_list("commit__sha", "reference"):
                listed[sha].add(reference)
    return {sha: [each for each in references if each not in listed[sha]] for sha in shas}


def _link(team: Team, release: Release, commits: Sequence[CommitReport]) -> int:
    """Makes the commits parts of the release; how many were not yet."""
    count = 0
    for some in chunks(list(dict.fromkeys(each.sha for each in commits))):
        unlinked = Commit.objects.filter(team=team, sha__in=some).exclude(
            pk__in=ReleaseCommit.objects.filter(release=release).values("commit")
        )
        rows = [ReleaseCommit(release=release, commit=commit) for commit in unlinked]
        ReleaseCommit.objects.bulk_create(rows, ignore_conflicts=True)
        count += len(rows)
    return count


def _grow(release: Release, commits: Sequence[CommitReport]) -> bool:
    """Adds the files, and moves the head to a commit that is not older; whether the files are others than before."""
    files = files_of(commits, release.files or ()) or release.files
    head_at = Commit.objects.filter(team=release.service.team_id, sha=release.head_sha).values_list("committed_at")
    is_newer = _is_newer(commits[0].committed_at, head_at.first())
    is_grown = files != release.files
    release.files = files
    release.head_sha = commits[0].sha if is_newer else release.head_sha
    release.save(update_fields=["files", "head_sha"])
    return is_grown


def _is_newer(at: dt.datetime | None, head: tuple[dt.datetime | None] | None) -> bool:
    """Whether a commit of this time may be the head; also where nobody can tell."""
    return head is None or head[0] is None or at is None or at >= head[0]


def _say_files(team: Team, deploys: Sequence[Deploy], files: object, *, received_at: dt.datetime, origin: str) -> None:
    """Records the release's files for deploys whose sender named none."""
    facts = [
        NewFact(
            kind="deploy",
            payload={"id": deploy.external_id, "service": deploy.service.name, "files": files},
            received_at=received_at, source=deploy.source, origin=origin,
        )
        for deploy in deploys
    ]  # fmt: skip
    if facts:
        record_facts(team=team, facts=facts)
