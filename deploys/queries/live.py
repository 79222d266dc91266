"""Which version of a service is live in an environment."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import F

from deploys.models import Commit, Deploy, Team


@dataclass(frozen=True, slots=True)
class LiveVersion:
    """What is live; all None where nothing is known to be. `commit` is the hash that was built."""

    release: str | None = None
    artifact: str | None = None
    commit: str | None = None
    public_id: uuid.UUID | None = None


def live_version(team: Team, *, service: str, environment: str) -> LiveVersion:
    """What serves users of the service there. One query, and one more where the release does not know its commit."""
    rows = Deploy.objects.filter(
        team=team, service__name=service.replace("\x00", ""), environment__name__iexact=environment.replace("\x00", ""),
        is_live_listed=True,
    ).select_related("change", "release", "artifact")  # fmt: skip
    deploy = rows.order_by("-started_at", "-pk").first()
    if deploy is None:
        return LiveVersion()
    release = deploy.release
    commit = release.head_sha if release is not None else ""
    if not commit and release is not None:
        contained = Commit.objects.filter(deploys__release=release).order_by(
            F("committed_at").desc(nulls_last=True), "sha"
        )
        commit = contained.values_list("sha", flat=True).first() or ""
    return LiveVersion(
        release.version if release is not None else None,
        deploy.artifact.digest if deploy.artifact is not None else None,
        commit or None,
        deploy.change.public_id,
    )
