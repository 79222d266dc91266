"""Azure DevOps service hooks: pushes give commits, a finished build is a deploy where a rule names its definition."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport, PushReport
from deploys.domain.signatures import Token
from deploys.formats.pushes import commit_of
from deploys.formats.reading import instant, items, json_of, last_part, line, needed, part, sha, text, version_of
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, ignored, unsupported

RESULTS: Final = {
    "succeeded": "success",
    "partiallySucceeded": "success",
    "failed": "failure",
    "stopped": "failure",
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
    return unsupported(event, "git.push and build.complete", delivery)


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


KIND: Final = SourceKind(
    slug="azuredevops", title="Azure DevOps", schemes=(Token(),), read=read, forgives=True,
    rules=("repository", "workflow"), events="Code pushed and Build completed",
    setup="Project settings, Service hooks, Web Hooks: paste the URL; basic authentication with any user name and the secret as password. Then name the build definition that deploys in a rule.",
)  # fmt: skip
