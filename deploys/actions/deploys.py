"""Recording deploys as their senders report them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from deploys import failpoints
from deploys.actions.commits import inherit_commits, list_commits
from deploys.actions.facts import facts_of_records, folded_record, identity_of, lock_team, record_fact
from deploys.actions.pushes import follow_pushes
from deploys.domain.changes import DeployReport, news_of_deploy
from deploys.domain.commits import CommitReport
from deploys.domain.instants import NotAnInstant, optional_instant, parse_instant
from deploys.models import Deploy, Fact, FactOrigin, Release, Team, User
from deploys.ports import Record
from deploys.queries.changes import deploy_timeout


class Verdict(StrEnum):
    """What a message did."""

    CREATED = "created"
    UPDATED = "updated"
    DUPLICATE = "duplicate"


class UnknownService(LookupError):
    """The message names a service that does not exist, from a sender who may not make one."""


class UnknownEnvironment(LookupError):
    """The message names an environment that does not exist, from a sender who may not make one."""


@dataclass(frozen=True, slots=True)
class RecordedDeploy:
    """The deploy as it stands now, and what the message did to it."""

    deploy: Deploy
    verdict: Verdict


@transaction.atomic
def record(
    *,
    team: Team,
    report: DeployReport,
    source: str,
    received_at: dt.datetime,
    origin: str = FactOrigin.LIVE,
    delivery_id: str | None = None,
    actor: User | None = None,
    can_create: bool = True,
    commits: Sequence[CommitReport] = (),
    head_sha: str = "",
) -> RecordedDeploy:
    """Records what one message says about one deploy. Messages may come in any order, number and repetition.

    `commits` are what the deploy contains, beside those of its release (`deploys.actions.commits`); `head_sha` is the
    commit its release was built from.

    `source` is who gave the deploy its id: "api", or the public id of a Source. With `can_create` false, a service or
    environment that does not exist raises UnknownService or UnknownEnvironment.
    """
    lock_team(team)
    said = report.payload
    identity = identity_of("deploy", source, said)
    held = facts_of_records(team=team, kind="deploy", identities=[identity])
    known = folded_record("deploy", identity, held[identity]) if held else None
    if not can_create:
        check_known(team=team, services=[report.service], environment=report.environment or "production")
    news = None
    if delivery_id is None or not _was_recorded(team, source, delivery_id):
        news = news_of_deploy(
            known.payload if known else None,
            said,
            received_at=received_at,
            is_start_assumed=known is not None and _is_start_assumed(known),
            longest=deploy_timeout(team),
        )
    if news is not None:
        record_fact(
            team=team, kind="deploy", payload=news, received_at=received_at, origin=origin, source=source,
            delivery_id=delivery_id, actor=actor, held=held,
        )  # fmt: skip
        failpoints.reach("deploy.recorded")
    rows = Deploy.objects.select_related("change", "service", "environment", "release", "artifact")
    deploy = rows.get(team=team, source=source, service__name=report.service, external_id=report.id)
    listed = bool(commits) and list_commits(
        team=team, deploy=deploy, commits=commits, received_at=received_at, origin=origin
    )
    if news is not None and "release" in news and inherit_commits(team=team, deploy=deploy, received_at=received_at):
        deploy = rows.get(pk=deploy.pk)
    if head_sha and deploy.release is not None and deploy.release.head_sha != head_sha:
        Release.objects.filter(pk=deploy.release.pk).update(head_sha=head_sha)
    if news is not None and deploy.commit_sha and follow_pushes(deploy=deploy, received_at=received_at):
        deploy = rows.get(pk=deploy.pk)
    if news is None and not listed:
        return RecordedDeploy(deploy, Verdict.DUPLICATE)
    return RecordedDeploy(deploy, Verdict.UPDATED if known else Verdict.CREATED)


def check_known(*, team: Team, services: list[str], environment: str | None) -> None:
    """Raises UnknownService or UnknownEnvironment for the first name that does not exist in the team.

    No environment: it is not looked at.
    """
    existing = set(team.services.filter(name__in=services).values_list("name", flat=True))
    for name in services:
        if name not in existing:
            raise UnknownService(name)
    if environment is None:
        return
    if environment.lower() not in {name.lower() for name in team.environments.values_list("name", flat=True)}:
        raise UnknownEnvironment(environment)


def _was_recorded(team: Team, source: str, delivery_id: str) -> bool:
    return Fact.objects.filter(team=team, source=source, kind="deploy", delivery_id=delivery_id).exists()


def _is_start_assumed(known: Record) -> bool:
    """Whether the last start that was said is an instant of receipt, or the end: only an assumption is that exact."""
    for received_at, _, payload in reversed(known.facts):
        if payload.get("started_at") is not None:
            try:
                started_at = parse_instant(payload["started_at"])
                return started_at == received_at or started_at == optional_instant(payload.get("finished_at"))
            except NotAnInstant:
                return False
    return False
