"""Pushes, and the commits of deploys that follow from them, whichever comes first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Q

from deploys.actions.commits import list_commits, record_commits
from deploys.actions.facts import lock_team, record_fact
from deploys.domain.changes import PushReport
from deploys.domain.commits import CommitReport, files_of
from deploys.domain.push_chain import Move, commits_between
from deploys.models import Deploy, FactOrigin, Push, PushedCommit, Team

#: How long pushes are kept: a deploy later than that has no commits worked out.
KEPT: Final = dt.timedelta(days=180)
MOST_STEPS: Final = 50


@dataclass(frozen=True, slots=True)
class RecordedPush:
    """Whether the push was new, whether any commit in it was, and how many commits it has."""

    is_new: bool
    is_news: bool
    count: int


@transaction.atomic
def record_push(*, team: Team, report: PushReport, received_at: dt.datetime) -> RecordedPush:
    """Keeps the push, records its commits, and lists them in the deploys that contain them. Repeating changes nothing."""
    lock_team(team)
    push, is_new = Push.objects.get_or_create(
        team=team, repository=report.repository.lower()[:200], ref=report.ref[:250], before_sha=report.before or "",
        after_sha=report.after,
        defaults={"is_default_branch": report.is_default, "received_at": received_at, "is_truncated": report.is_truncated},
    )  # fmt: skip
    if is_new:
        PushedCommit.objects.bulk_create(
            [
                PushedCommit(push=push, team=team, sha=each.sha, position=place, files=list(each.files))
                for place, each in enumerate(report.commits)
            ],
            batch_size=500,
        )
    is_news = record_commits(team=team, commits=report.commits, received_at=received_at)
    if is_new:
        for deploy in _deploys_after(team, push):
            list_pushed_commits(deploy=deploy, received_at=received_at)
    return RecordedPush(is_new, is_news, len(report.commits))


@transaction.atomic
def list_pushed_commits(*, deploy: Deploy, received_at: dt.datetime) -> bool:
    """The deploy lists what was pushed since the one before it; False where nothing new follows from the pushes known.

    The base is the last earlier deploy of the service to this environment that succeeded and names its commit. The
    first has none, and lists nothing (METRICS, lead time).
    """
    if not deploy.commit_sha or deploy.status == Deploy.Status.FAILURE:
        return False
    base = _base(deploy)
    if base is None:
        return False
    shas = commits_between(base, deploy.commit_sha, lambda sha: _moves_with(deploy.team, sha))
    if not shas:
        return False
    lock_team(deploy.team)
    is_news = list_commits(
        team=deploy.team, deploy=deploy, commits=[CommitReport(sha) for sha in shas], received_at=received_at
    )
    return _say_files(deploy, shas, received_at) or is_news


def has_pushes(team: Team) -> bool:
    """Whether anything was ever pushed: in a team that sends no pushes there is nothing to follow."""
    return Push.objects.filter(team=team).exists()


def follow_pushes(*, deploy: Deploy, received_at: dt.datetime) -> bool:
    """Lists the commits of this deploy, and of the one after it, whose base it may be now; whether this one has news."""
    is_news = list_pushed_commits(deploy=deploy, received_at=received_at)
    following = Deploy.objects.filter(
        service=deploy.service_id, environment=deploy.environment_id, started_at__gt=deploy.started_at
    ).exclude(commit_sha="")
    after = following.select_related("team", "change", "service").order_by("started_at", "pk").first()
    if after is not None:
        list_pushed_commits(deploy=after, received_at=received_at)
    return is_news


def forget_old_pushes(*, now: dt.datetime) -> int:
    """Deletes pushes older than 180 days; how many rows."""
    return Push.objects.filter(received_at__lt=now - KEPT).delete()[0]


def _base(deploy: Deploy) -> str | None:
    earlier = Deploy.objects.filter(
        service=deploy.service_id, environment=deploy.environment_id, started_at__lt=deploy.started_at,
        status=Deploy.Status.SUCCESS,
    ).exclude(commit_sha="")  # fmt: skip
    return earlier.order_by("-started_at", "-pk").values_list("commit_sha", flat=True).first()


def _moves_with(team: Team, sha: str) -> list[Move]:
    """Pushes that end with this commit or contain it. Two queries; a name that was cut is looked for by its beginning."""
    exact = Q(sha=sha) if len(sha) >= 40 else Q(sha__startswith=sha)
    ids = set(PushedCommit.objects.filter(exact, team=team).values_list("push_id", flat=True)[:50])
    pushes = Push.objects.filter(Q(pk__in=ids) | Q(team=team, after_sha=sha)).order_by("pk")
    return [
        Move(push.before_sha, push.after_sha, [each.sha for each in push.commits.all()], push.is_default_branch)
        for push in pushes.prefetch_related("commits")
    ]


def _deploys_after(team: Team, push: Push) -> Iterable[Deploy]:
    """Deploys of what was pushed, and of what was pushed on top of it. Oldest first."""
    shas = set(push.commits.values_list("sha", flat=True)) | {push.after_sha}
    ends = {push.after_sha}
    for _ in range(MOST_STEPS):
        later = Push.objects.filter(team=team, before_sha__in=ends).exclude(after_sha__in=shas)
        ends = set(later.values_list("after_sha", flat=True)[:100])
        if not ends:
            break
        shas |= ends
    wanted = sorted(shas)[:2500]
    rows: list[Deploy] = []
    for start in range(0, len(wanted), 400):
        some = wanted[start : start + 400]
        found = Deploy.objects.filter(team=team, commit_sha__in=[*some, *(sha[:8] for sha in some)])
        rows += found.select_related("team", "change", "service")
    return sorted(rows, key=lambda deploy: (deploy.started_at, deploy.pk))


def _say_files(deploy: Deploy, shas: list[str], received_at: dt.datetime) -> bool:
    """Records the files of these commits for a deploy whose sender named none."""
    if deploy.files is not None:
        return False
    lists: list[list[str]] = []
    for start in range(0, len(shas), 400):
        pushed = PushedCommit.objects.filter(team=deploy.team, sha__in=shas[start : start + 400])
        lists += pushed.values_list("files", flat=True)
    files = files_of([], known=(path for each in lists for path in each))
    if not files:
        return False
    record_fact(
        team=deploy.team, kind="deploy",
        payload={"id": deploy.external_id, "service": deploy.service.name, "files": files},
        received_at=received_at, source=deploy.source, origin=FactOrigin.LIVE,
    )  # fmt: skip
    return True
