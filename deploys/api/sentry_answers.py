"""Rows as Sentry's API prints them, and its pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.text import slugify

from deploys.domain.instants import instant_text
from deploys.models import Commit, Deploy, Release

PAGE_SIZE: Final = 100
#: How far a list can be followed: an offset is dear on the database, and nobody reads this far.
FURTHEST: Final = 10_000
_CURSOR = re.compile(r"\d{1,9}:(\d{1,9}):[01]")

Answer = dict[str, Any]  # Any: JSON


def release_answer(releases: Sequence[Release], counts: Mapping[int, tuple[int, int]]) -> Answer:
    """One release over the services that have it. `counts`: commits and deploys of each."""
    first = min(releases, key=lambda release: (release.created_at, release.pk))
    released = [release.released_at for release in releases if release.released_at is not None]
    return {
        "version": first.version,
        "shortVersion": first.version.rpartition("@")[2],
        "status": "archived" if all(release.archived_at for release in releases) else "open",
        "url": next((release.url for release in releases if release.url), None),
        "ref": None,
        "dateCreated": instant_text(first.created_at),
        "dateReleased": instant_text(min(released)) if released else None,
        "commitCount": max(counts[release.pk][0] for release in releases),
        "deployCount": sum(counts[release.pk][1] for release in releases),
        "newGroups": 0,
        "projects": [
            {
                "id": str(release.service.number), "slug": slugify(release.service.name) or release.service.name,
                "name": release.service.name,
            }
            for release in releases
        ],
    }  # fmt: skip


def deploy_answer(deploy: Deploy) -> Answer:
    """One deploy. `dateFinished` is never null, which the CLI cannot read: one still running shows its start."""
    return {
        "id": deploy.external_id,
        "environment": deploy.environment.name,
        "name": deploy.description or None,
        "url": deploy.url or None,
        "dateStarted": instant_text(deploy.started_at),
        "dateFinished": instant_text(deploy.finished_at or deploy.live_at or deploy.started_at),
    }


def deploy_answers(deploys: Sequence[Deploy]) -> list[Answer]:
    """A page of deploys."""
    return [deploy_answer(deploy) for deploy in deploys]


def commit_answers(commits: Sequence[Commit]) -> list[Answer]:
    """A page of commits."""
    return [_commit_answer(commit) for commit in commits]


def _commit_answer(commit: Commit) -> Answer:
    at = commit.committed_at
    return {
        "id": commit.sha,
        "message": commit.title,
        "dateCreated": instant_text(at) if at is not None else None,
        "author": {"name": commit.author} if commit.author else None,
    }


def slice_of(rows: Any, cursor: str) -> tuple[list[Any], str, str]:  # Any: a query set or list
    """The page a cursor asks for, the cursors of the next page (empty at the end) and the one before (empty at the
    beginning). A cursor that is none of ours asks for the first page, as Sentry does.
    """
    match = _CURSOR.fullmatch(cursor)
    start = min(int(match[1]), FURTHEST) if match else 0
    found = list(rows[start : start + PAGE_SIZE + 1])
    has_more = len(found) > PAGE_SIZE and start + PAGE_SIZE <= FURTHEST
    older = f"0:{start + PAGE_SIZE}:0" if has_more else ""
    newer = f"0:{max(start - PAGE_SIZE, 0)}:1" if start else ""
    return found[:PAGE_SIZE], older, newer


def page_link(address: str, older: str, newer: str) -> str:
    """Sentry's Link header: both neighbours are always named, and `results` says whether they hold anything."""
    sides = [("previous", newer or "0:0:1", bool(newer)), ("next", older or "0:0:0", bool(older))]
    return ", ".join(
        f'<{address}?&cursor={cursor}>; rel="{rel}"; results="{str(has_results).lower()}"; cursor="{cursor}"'
        for rel, cursor, has_results in sides
    )
