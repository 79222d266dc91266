"""Pushes as git hosts tell of them: GitHub, GitLab and Gitea use the same words for their commits."""

from __future__ import annotations

from deploys.domain.changes import PushReport
from deploys.domain.commits import CommitReport, title_of
from deploys.formats.reading import items, line, moment, part, sha
from deploys.formats.webhook import Json, Message, Said, ignored

MOST_FILES = 5000


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
