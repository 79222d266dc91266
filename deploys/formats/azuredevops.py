"""Azure DevOps service hooks: a stage of a release is a deploy, a finished build is one where a rule names its definition;
pushes give commits.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from deploys.domain.changes import DeployReport, PushReport
from deploys.domain.signatures import Token
from deploys.formats.pushes import commit_of
from deploys.formats.reading import (
    instant,
    items,
    json_of,
    last_part,
    line,
    moment,
    needed,
    part,
    sha,
    text,
    version_of,
    web_address,
)
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, ignored, unsupported

RESULTS: Final = {
    "succeeded": "success",
    "partiallySucceeded": "success",
    "failed": "failure",
    "stopped": "failure",
    "canceled": "failure",
}
STARTED: Final = "ms.vss-release.deployment-started-event"
COMPLETED: Final = "ms.vss-release.deployment-completed-event"
#: How a stage of a release ended: `rejected` is also what a failed one is called.
STAGES: Final = {
    "succeeded": "success",
    "partiallySucceeded": "success",
    "rejected": "failure",
    "canceled": "failure",
}


def read(inbound: Inbound) -> list[Message]:
    """What a delivery says, by its `eventType`."""
    payload = json_of(inbound.body)
    event, delivery = text(payload, "eventType", longest=60), line(payload.get("id")) or ""
    match event:
        case "git.push":
            return _push(event, delivery, needed(payload, "resource"))
        case "build.complete":
            return _build(event, delivery, needed(payload, "resource"))
        case _ if event in {STARTED, COMPLETED}:
            return _stage(event, delivery, needed(payload, "resource"), instant(payload, "createdDate"))
    return unsupported(event, "git.push, build.complete and the deployments of releases", delivery)


def _push(event: str, delivery: str, resource: Json) -> list[Message]:
    """The first branch that moved. Commits come newest first."""
    place = part(resource, "repository")
    repository, moves = text(place, "name", "resource.repository"), items(resource.get("refUpdates"), 10)
    after = sha(moves[0].get("newObjectId")) if moves else None
    commits = tuple(
        commit for each in reversed(items(resource.get("commits"))) if (commit := commit_of(each)) is not None
    )
    if after is None or not commits:
        return ignored(event, f"{event}: no commits", delivery)
    report = PushReport(
        repository=repository, ref=line(moves[0].get("name"), 250) or "", before=sha(moves[0].get("oldObjectId")),
        after=after, commits=commits,
        default_branch=(line(place.get("defaultBranch"), 250) or "").removeprefix("refs/heads/") or None,
    )  # fmt: skip
    return [Message(event, delivery, [Said(report, repository)])]


def _build(event: str, delivery: str, resource: Json) -> list[Message]:
    result = text(resource, "result" if resource.get("result") else "status", "resource")
    if result not in RESULTS:
        return ignored(event, f"{result}: unknown result", delivery)
    definition = text(part(resource, "definition"), "name", "resource.definition")
    repository = line(part(resource, "repository").get("name")) or definition
    # LG:refs/heads/master:600c52d…, or sourceVersion in newer events
    seen = line(resource.get("sourceGetVersion"), 300) or ""
    commit = sha(resource.get("sourceVersion")) or sha(seen.rpartition(":")[2])
    report = DeployReport(
        id=f"build-{text(resource, 'id', 'resource')}",
        service=last_part(repository),
        status=RESULTS[result],
        started_at=instant(resource, "startTime", "resource"),
        finished_at=instant(resource, "finishTime", "resource"),
        release=version_of(resource.get("buildNumber")) or commit or line(resource.get("buildNumber"), 250),
        commit=commit,
    )
    return [Message(event, delivery, [Said(report, repository, trigger=definition, by_rule=True)])]


def _stage(event: str, delivery: str, resource: Json, at: dt.datetime) -> list[Message]:
    """One attempt at one stage of a release. `at` is when it began or ended, where the stage does not say it better."""
    place, is_final = needed(resource, "environment"), event == COMPLETED
    status = text(place, "status", "resource.environment") if is_final else "started"
    if is_final and status not in STAGES:
        return ignored(event, f"{status}: unknown result", delivery)
    release, told = part(place, "release"), part(resource, "deployment")
    whole = next((each for each in (part(resource, "release"), part(told, "release")) if each.get("artifacts")), {})
    artifact = next(iter(items(whole.get("artifacts"))), {})
    definition = _definition(resource, place, told)
    steps = items(place.get("deploySteps"))
    attempt = line((steps[-1] if steps else told).get("attempt")) or line(resource.get("attemptId")) or "1"
    ended_at = (moment(told.get("completedOn")) or at) if is_final else None
    report = DeployReport(
        id=f"release-{text(release, 'id', 'resource.environment.release')}-{text(place, 'id', 'resource.environment')}.{attempt}",
        service=last_part(definition),
        environment=text(place, "name", "resource.environment", 100),
        status=STAGES[status] if is_final else "in_progress",
        started_at=moment(told.get("startedOn")) or _began(place, ended_at) or (None if is_final else at),
        finished_at=ended_at,
        release=text(release, "name", "resource.environment.release", 250),
        commit=sha(part(artifact, "definitionReference", "sourceVersion").get("id")),
        url=web_address(part(release, "_links", "web").get("href")),
    )
    repository = line(part(artifact, "definitionReference", "repository").get("name")) or definition
    return [Message(event, delivery, [Said(report, repository, trigger=definition)])]


def _definition(resource: Json, place: Json, told: Json) -> str:
    """The name of the release pipeline, else that of the project."""
    owners = (place, part(resource, "release"), told, part(told, "release"))
    names = (line(part(each, "releaseDefinition").get("name")) for each in owners)
    return next((name for name in names if name), "") or text(part(resource, "project"), "name", "resource.project")


def _began(place: Json, ended_at: dt.datetime | None) -> dt.datetime | None:
    """The end less the minutes it took, where both are said."""
    minutes = place.get("timeToDeploy")
    if ended_at is None or isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes < 1e5:
        return None
    return ended_at - dt.timedelta(minutes=minutes)


KIND: Final = SourceKind(
    slug="azuredevops", title="Azure DevOps", schemes=(Token(),), read=read, forgives=True,
    rules=("repository", "environment", "workflow"), events="Release deployment started and completed, Build completed, Code pushed",
    setup="Project settings, Service hooks, Web Hooks: paste the URL; basic authentication with any user name and the secret as password. Releases need no rule; a build definition that deploys is named in one.",
)  # fmt: skip
