"""Releases as their builders announce them: made, given commits, finished, archived, deleted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from deploys.actions.commits import attach_commits, clear_commits, release_named
from deploys.actions.deploys import Verdict
from deploys.actions.facts import lock_team
from deploys.domain.release_report import ReleaseReport
from deploys.models import Deploy, Release, Team

HEADS_ONLY = "only the newest commit of each repository was named: its time and files are not known"
KEPT_BY_DEPLOYS = "deploys that contain the commits keep them"


class WasDeployed(Exception):
    """The release cannot be deleted, because it was deployed."""


@dataclass(frozen=True, slots=True)
class RecordedRelease:
    """The release as it stands now, what the message did to it, and what a reader of the log should know."""

    release: Release
    verdict: Verdict
    reason: str = ""


@transaction.atomic
def record_release(*, team: Team, service: str, report: ReleaseReport, received_at: dt.datetime) -> RecordedRelease:
    """Records what one message says about a version of a service, made where it is missing. Said again: no change."""
    lock_team(team)
    report, reason = report.within_limits()
    existed = Release.objects.filter(service__team=team, service__name=service, version=report.version).exists()
    release = release_named(team=team, service=service, version=report.version, at=received_at)
    is_news = _write(release, report, received_at)
    if report.commits:
        is_news |= attach_commits(
            team=team, service=service, version=report.version, commits=report.commits, received_at=received_at
        ).is_news
        reason = HEADS_ONLY if report.are_heads else reason
    elif report.commits is not None:
        is_news |= clear_commits(release=release) > 0
        reason = KEPT_BY_DEPLOYS if release.deploys.exists() else ""
    release.refresh_from_db(fields=["files", "head_sha"])
    if not existed:
        return RecordedRelease(release, Verdict.CREATED, reason)
    return RecordedRelease(release, Verdict.UPDATED if is_news else Verdict.DUPLICATE, reason)


def _write(release: Release, report: ReleaseReport, received_at: dt.datetime) -> bool:
    """Writes the release's own columns; whether any has changed.

    A release is finished and archived once: of two times the earlier one stands, in whatever order they arrive.
    """
    wanted: dict[str, dt.datetime | str | None] = {}
    if report.url is not None and report.url.startswith(("https://", "http://")):
        wanted["url"] = report.url
    if report.released_at is not None:
        wanted["released_at"] = min(report.released_at, release.released_at or report.released_at)
    if report.is_archived is not None:
        wanted["archived_at"] = (release.archived_at or received_at) if report.is_archived else None
    changed = {name: value for name, value in wanted.items() if getattr(release, name) != value}
    for name, value in changed.items():
        setattr(release, name, value)
    if changed:
        release.save(update_fields=list(changed))
    return bool(changed)


@transaction.atomic
def delete_release(*, release: Release) -> None:
    """The release is gone, with the list of its commits. WasDeployed where a deploy names it."""
    lock_team(release.service.team)
    if Deploy.objects.filter(release=release).exists():
        raise WasDeployed(release.version)
    release.delete()
