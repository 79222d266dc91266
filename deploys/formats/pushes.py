"""Pushes and releases as git hosts tell of them: GitHub, GitLab, Gitea and Bitbucket share many of their words."""

from __future__ import annotations

from collections.abc import Collection

from deploys.domain.changes import DeployReport, PushReport
from deploys.domain.commits import CommitReport, title_of
from deploys.formats.reading import (
    instant,
    items,
    last_part,
    line,
    moment,
    needed,
    part,
    sha,
    text,
    web_address,
)
from deploys.formats.webhook import Json, Message, Said, ignored

MOST_FILES = 5000


def full_name(payload: Json) -> str:
    """`owner/name` of the repository a delivery is about. UnexpectedPayload where it is missing."""
    return text(needed(payload, "repository"), "full_name", "repository")


def push_message(event: str, payload: Json, repository: str, delivery_id: str) -> list[Message]:
    """What a push says; ignored when it deletes a branch or carries no commit."""
    after, ref = sha(payload.get("after")), line(payload.get("ref"), 250) or ""
    commits = tuple(commit for each in items(payload.get("commits")) if (commit := commit_of(each)) is not None)
    if after is None:
        return ignored(event, f"{event}: {ref or 'a branch'} was deleted", delivery_id)
    if not commits:
        return ignored(event, f"{event}: no commits", delivery_id)
    report = PushReport(
        repository=repository, ref=ref, before=sha(payload.get("before")), after=after, commits=commits,
        default_branch=line(part(payload, "repository").get("default_branch") or part(payload, "project").get("default_branch")),
    )  # fmt: skip
    return [Message(event, delivery_id, [Said(report, repository)])]


def commit_of(value: Json) -> CommitReport | None:
    """One commit; None without a name. Its title is the first line of its message; no files: unsaid, or none."""
    name = sha(value.get("id") or value.get("hash") or value.get("commitId"))
    if name is None:
        return None
    author = part(value, "author")
    lists = [value.get(key) for key in ("added", "modified", "removed")]
    files = [each for found in lists if isinstance(found, list) for each in found]
    paths = tuple(dict.fromkeys(path for each in files[:MOST_FILES] if (path := line(each, 1000))))
    message = value.get("message") or value.get("comment")
    return CommitReport(
        sha=name,
        committed_at=moment(value.get("timestamp") or value.get("date") or part(value, "committer").get("date")),
        author=line(author.get("name") or part(author, "user").get("display_name") or author.get("display_name")),
        title=line(title_of(message[:2000]), 500) if isinstance(message, str) else None,
        files=paths,
    )


def release_message(payload: Json, delivery_id: str, *, actions: Collection[str]) -> list[Message]:
    """A release that one of these actions published, which is a deploy where a rule says so; ignored otherwise."""
    if payload.get("action") not in actions or part(payload, "release").get("draft") is True:
        return ignored("release", f"{line(payload.get('action'))}: only published releases count", delivery_id)
    release, repository = needed(payload, "release"), full_name(payload)
    report = DeployReport(
        id=f"release-{text(release, 'id', 'release')}",
        service=last_part(repository),
        status="success",
        finished_at=instant(release, "published_at", "release"),
        release=text(release, "tag_name", "release", 250),
        commit=sha(release.get("target_commitish")),
        url=web_address(release.get("html_url")),
    )
    return [Message("release", delivery_id, [Said(report, repository, trigger="published release", by_rule=True)])]
