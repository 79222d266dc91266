"""Commits of a release or of one deploy. Every commit is a fact; saying it again, or in another order, changes nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from deploys.actions.catalog import services_by_name
from deploys.actions.facts import (
    Held,
    NewFact,
    facts_of_records,
    folded_record,
    identity_of_commit,
    lock_team,
    record_facts,
    storable,
)
from deploys.actions.first_words import FirstWord, write_first_words
from deploys.domain.commits import CommitReport, files_of
from deploys.domain.records import fold
from deploys.models import Commit, Deploy, FactOrigin, Release, ReleaseCommit, Team
from deploys.queries.chunks import chunks
from deploys.queries.prepared import Prepared

_known: Final = Prepared(
    lambda team, shas: Commit.objects.filter(team=team, sha__among=shas).values("sha"), team=-101, shas=["(sha)"]
)


@dataclass(frozen=True, slots=True)
class Contained:
    """What one message says: these deploys contain these commits."""

    commits: Sequence[CommitReport]
    deploys: Sequence[Deploy]
    received_at: dt.datetime
    origin: str = FactOrigin.LIVE


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


@transaction.atomic
def list_all_commits(*, team: Team, contained: Sequence[Contained]) -> set[int]:
    """As `list_commits` for each of these deploys, in the order given; the places of those that have news."""
    lock_team(team)
    return _record_all(team, contained)


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
    return bool(_record_all(team, [Contained(commits, deploys, received_at, origin)]))


def _record_all(team: Team, contained: Sequence[Contained]) -> set[int]:
    """The same for several messages, one after the other, in few statements; the places of those with news."""
    names = {each.sha: identity_of_commit(each.sha) for one in contained for each in one.commits}
    held = facts_of_records(team=team, kind="change", identities=list(names.values()))
    known: dict[str, Mapping[str, Any]] = {  # Any: JSON
        sha: folded_record("change", name, held[name]).payload for sha, name in names.items() if name in held
    }
    fresh = _fresh(team, contained, held, names)
    facts: list[NewFact] = []
    first: list[FirstWord] = []
    news: set[int] = set()
    for place, one in enumerate(contained):
        references = [str(deploy.change.public_id) for deploy in one.deploys]
        for sha, each in {each.sha: each for each in one.commits}.items():
            payload = storable({**each.payload, **({"deploys": references} if references else {})})
            if sha in fresh:
                first.append(FirstWord(names[sha], each, payload, one.received_at, one.origin, one.deploys))
                news.add(place)
                continue
            before = known.get(sha)
            known[sha] = fold("change", [payload] if before is None else [before, payload])
            if known[sha] != before:
                facts.append(NewFact(kind="change", payload=payload, received_at=one.received_at, origin=one.origin))
                news.add(place)
    if facts:
        record_facts(team=team, facts=facts, held=held)
    write_first_words(team, first)
    return news


def _fresh(team: Team, contained: Sequence[Contained], held: Held, names: Mapping[str, str]) -> set[str]:
    """Commits that one message names and nobody named before: what follows from one fact needs no folding."""
    times = Counter(sha for one in contained for sha in {each.sha for each in one.commits})
    alone = [sha for sha, count in times.items() if count == 1 and names[sha] not in held]
    return set(alone) - {row["sha"] for row in _known(team=team.pk, shas=alone)} if alone else set()


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
