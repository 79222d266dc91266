"""Bitbucket, Cloud and Data Center: pushes give commits, a commit status is a deploy where a rule names its key."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport, PushReport
from deploys.domain.signatures import Hmac
from deploys.formats.pushes import commit_of, full_name
from deploys.formats.reading import instant, items, json_of, last_part, line, needed, part, sha, text, web_address
from deploys.formats.webhook import Inbound, Json, Message, MissingEvent, Said, SourceKind, ignored, unsupported

STATES: Final = {
    "INPROGRESS": "in_progress",
    "SUCCESSFUL": "success",
    "FAILED": "failure",
    "STOPPED": "failure",
}


def read(inbound: Inbound) -> list[Message]:
    """What a delivery says, by its header X-Event-Key."""
    payload, event = json_of(inbound.body), inbound.header("X-Event-Key")
    delivery = inbound.header("X-Request-UUID") or inbound.header("X-Request-Id")
    match event:
        case "":
            raise MissingEvent("expected the header X-Event-Key")
        case "diagnostics:ping":
            return ignored(event, "ping: the webhook is set up", delivery)
        case "repo:push":
            return _push(event, delivery, payload)
        case "repo:commit_status_created" | "repo:commit_status_updated":
            return _status(event, delivery, payload)
        case "repo:refs_changed":
            return ignored(event, f"{event}: Data Center names no commits in it", delivery)
    return unsupported(event, "repo:push and commit statuses", delivery)


def _push(event: str, delivery: str, payload: Json) -> list[Message]:
    """One report per branch that moved. Commits come newest first, at most five; the newest stands in `target` too."""
    repository, said = full_name(payload), []
    for change in items(part(payload, "push").get("changes"), 100):
        target = part(change, "new", "target")
        after = sha(target.get("hash"))
        if after is None:
            continue
        rows = [*reversed(items(change.get("commits"))), target]
        commits = {commit.sha: commit for each in rows if (commit := commit_of(each)) is not None}
        name = line(part(change, "new").get("name"), 240) or ""
        report = PushReport(
            repository=repository, ref=f"refs/heads/{name}", before=sha(part(change, "old", "target").get("hash")),
            after=after, commits=tuple(commits.values()), default_branch=line(part(payload, "repository", "mainbranch").get("name")),
            is_truncated=change.get("truncated") is True,
        )  # fmt: skip
        said.append(Said(report, repository))
    return [Message(event, delivery, said)] if said else ignored(event, f"{event}: a branch was deleted", delivery)


def _status(event: str, delivery: str, payload: Json) -> list[Message]:
    status, repository = needed(payload, "commit_status"), full_name(payload)
    state, key = text(status, "state", "commit_status"), text(status, "key", "commit_status")
    if state not in STATES:
        return ignored(event, f"{state}: unknown state", delivery)
    # …/2.0/repositories/acme/shop/commit/9fec847…
    address = line(part(status, "links", "commit").get("href"), 500) or ""
    commit, is_final = sha(address.rpartition("/")[2]), STATES[state] != "in_progress"
    report = DeployReport(
        id=f"{commit or ''}/{key}"[:200],
        service=last_part(repository),
        status=STATES[state],
        started_at=instant(status, "created_on", "commit_status"),
        finished_at=instant(status, "updated_on", "commit_status") if is_final else None,
        release=commit,
        commit=commit,
        description=line(status.get("description"), 2000),
        url=web_address(status.get("url")),
    )
    return [Message(event, delivery, [Said(report, repository, trigger=key, by_rule=True)])]


KIND: Final = SourceKind(
    slug="bitbucket", title="Bitbucket", schemes=(Hmac("X-Hub-Signature", prefix="sha256="),), read=read, forgives=True,
    event_header="X-Event-Key", delivery_header="X-Request-UUID", keeps=("X-Request-Id",),
    rules=("repository", "environment", "workflow"), events="Repository push, Build status created and updated",
    setup="Repository settings, Webhooks, Add webhook: paste URL and secret. Then name the key of the build status that stands for a deploy in a rule.",
)  # fmt: skip
