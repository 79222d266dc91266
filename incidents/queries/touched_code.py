"""Which commits of a deploy touch the code that failed: the code, never a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from deploys.models import Change, Commit, PushedCommit
from incidents.domain.touched import Place, places_touched
from incidents.models import Cause, Episode, Incident, Verdict

MOST_COMMITS: Final = 500
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class TouchedCommit:
    """A commit, and the places of the stack whose files it touches, innermost first."""

    sha: str
    title: str
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class TouchedCode:
    """`places` of the stack are in files the deploy changed. Of its `commits_count` commits `told_count` told their files.

    `commits` touch such a place, those nearest to the failure first.
    """

    places: Sequence[Place]
    commits: Sequence[TouchedCommit]
    commits_count: int
    told_count: int


def accused(verdict: Verdict | None, causes: Sequence[Cause]) -> Change | None:
    """The confirmed cause, else the change the verdict names, unless it was rejected."""
    for cause in causes:
        if cause.status == Cause.Status.CONFIRMED and cause.change is not None:
            return cause.change
    if verdict is None or verdict.change is None:
        return None
    refused = {cause.change_id for cause in causes if cause.status == Cause.Status.REJECTED}
    return None if verdict.change_id in refused else verdict.change


def touched_code(incident: Incident, change: Change | None) -> TouchedCode | None:
    """What a deploy changed of the innermost own frames of the incident's errors in its service. Three queries at most.

    None for a flag, for no change, and where nothing that failed is in a file it is known to have changed.
    """
    if change is None or change.kind != Change.Kind.DEPLOY:
        return None
    rows = Episode.objects.filter(incident=incident, service=change.service_id, issue__isnull=False)
    facts = list(rows.order_by("-count", "pk").values_list("facts", flat=True)[:20])
    if not facts:
        return None
    commits = list(
        Commit.objects.filter(deploy_links__deploy=change.pk).order_by("-committed_at", "-pk").distinct()[:MOST_COMMITS]
    )
    files: dict[str, set[str]] = defaultdict(set)
    pushed = PushedCommit.objects.filter(team=change.team_id, sha__in=[each.sha for each in commits])
    for sha, paths in pushed.values_list("sha", "files"):
        files[sha].update(str(path) for path in paths)
    stacks = [(_texts(each.get("paths")), _texts(each.get("places"))) for each in facts]
    found = [
        TouchedCommit(each.sha, each.title, touched)
        for each in commits
        if (touched := places_touched(stacks, sorted(files.get(each.sha, ()))))
    ]
    every = places_touched(
        stacks, [*(change.deploy.files or ()), *sorted({p for some in files.values() for p in some})]
    )
    if not every:
        return None
    found.sort(key=lambda each: each.places[0].depth)
    return TouchedCode(every, found[:SHOWN], len(commits), sum(1 for each in commits if files.get(each.sha)))


def _texts(value: Iterable[object] | None) -> list[str]:
    return [str(each) for each in value or ()]
