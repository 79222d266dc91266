"""Recording deploys as their senders report them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from django.db import connection, transaction

from deploys import failpoints
from deploys.actions.commits import Contained, inherit_commits, list_all_commits
from deploys.actions.facts import NewFact, facts_of_records, folded_record, identity_of, lock_team, record_facts
from deploys.actions.pushes import follow_pushes, has_pushes
from deploys.domain.changes import DeployReport, news_of_deploy
from deploys.domain.commits import CommitReport
from deploys.domain.instants import NotAnInstant, optional_instant, parse_instant
from deploys.models import Deploy, Fact, FactOrigin, Release, ReleaseCommit, Service, Team
from deploys.ports import Record
from deploys.queries.changes import deploy_timeout
from deploys.queries.prepared import Prepared, PreparedRows

_told: Final = PreparedRows(
    lambda team, sources, services, ids: Deploy.objects.filter(
        team=team, source__among=sources, external_id__among=ids,
        service__in=Service.objects.filter(team=team, name__among=services),
    ).select_related("change", "service", "environment", "release", "artifact"),
    team=-101, sources=["(source)"], services=["(service)"], ids=["(id)"],
)  # fmt: skip
_filled: Final = Prepared(
    lambda releases: ReleaseCommit.objects.filter(release_id__among=releases).values("release").distinct(),
    releases=[-101],
)


class Verdict(StrEnum):
    """What a message did."""

    CREATED = "created"
    UPDATED = "updated"
    DUPLICATE = "duplicate"


class UnknownService(LookupError):
    """The message names a service that does not exist, from a sender who may not make one."""


class UnknownEnvironment(LookupError):
    """The message names an environment that does not exist, from a sender who may not make one."""


UnknownName: TypeAlias = UnknownService | UnknownEnvironment


@dataclass(frozen=True, slots=True)
class RecordedDeploy:
    """The deploy as it stands now, and what the message did to it."""

    deploy: Deploy
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message about one deploy.

    `commits` are what the deploy contains, beside those of its release (`deploys.actions.commits`); `head_sha` is the
    commit its release was built from.

    `source` is who gave the deploy its id: "api", or the public id of a Source. With `can_create` false, a service or
    environment that does not exist is an error.
    """

    report: DeployReport
    source: str
    received_at: dt.datetime
    origin: str = FactOrigin.LIVE
    delivery_id: str | None = None
    can_create: bool = True
    commits: Sequence[CommitReport] = ()
    head_sha: str = ""

    @property
    def identity(self) -> str:
        """The name of the deploy's record."""
        return identity_of("deploy", self.source, {"id": self.report.id, "service": self.report.service})


def record(
    *,
    team: Team,
    report: DeployReport,
    source: str,
    received_at: dt.datetime,
    origin: str = FactOrigin.LIVE,
    delivery_id: str | None = None,
    head_sha: str = "",
) -> RecordedDeploy:
    """Records what one message says about one deploy. Messages may come in any order, number and repetition."""
    message = Incoming(report, source, received_at, origin, delivery_id, head_sha=head_sha)
    done = record_all(team=team, messages=[message])[0]
    if isinstance(done, Exception):
        raise done
    return done


@transaction.atomic
def record_all(*, team: Team, messages: Sequence[Incoming]) -> list[RecordedDeploy | UnknownName]:
    """Records messages in the order given, many for hardly more statements than one; what became of each.

    UnknownService or UnknownEnvironment stands where a message was not recorded.
    """
    lock_team(team)
    done: dict[int, RecordedDeploy | UnknownName] = {}
    for places in _rounds(messages):
        answers = _record_round(team, [messages[place] for place in places])
        done.update(zip(places, answers, strict=True))
    return [done[place] for place in range(len(messages))]


def _rounds(messages: Sequence[Incoming]) -> Iterator[list[int]]:
    """The places of the messages, in rounds: what is about the same deploy, or the same delivery, comes one after the other."""
    waiting = list(range(len(messages)))
    while waiting:
        taken: set[object] = set()
        now: list[int] = []
        later: list[int] = []
        for place in waiting:
            each = messages[place]
            keys = {each.identity, *([(each.source, each.delivery_id)] if each.delivery_id is not None else [])}
            (later if taken & keys else now).append(place)
            taken |= keys
        yield now
        waiting = later


def _record_round(team: Team, messages: Sequence[Incoming]) -> list[RecordedDeploy | UnknownName]:
    """Records messages about different deploys."""
    unknown = _unknown_names(team, messages)
    taken = {place: each for place, each in enumerate(messages) if place not in unknown}
    held = facts_of_records(team=team, kind="deploy", identities=[each.identity for each in taken.values()])
    known = {name: folded_record("deploy", name, facts) for name, facts in held.items()}
    news = _news(team, taken, known)
    if news:
        facts = [
            NewFact(
                kind="deploy", payload=said, received_at=taken[place].received_at, source=taken[place].source,
                delivery_id=taken[place].delivery_id, origin=taken[place].origin,
            )
            for place, said in news.items()
        ]  # fmt: skip
        record_facts(team=team, facts=facts, held=held)
        failpoints.reach("deploy.recorded")
    deploys = _deploys(team, taken)
    told = _tell_contents(team, taken, deploys, news) | news.keys()
    done: dict[int, RecordedDeploy | UnknownName] = {**unknown}
    for place, each in taken.items():
        verdict = Verdict.UPDATED if each.identity in known else Verdict.CREATED
        done[place] = RecordedDeploy(deploys[place], verdict if place in told else Verdict.DUPLICATE)
    return [done[place] for place in range(len(messages))]


def _news(
    team: Team, messages: Mapping[int, Incoming], known: Mapping[str, Record]
) -> dict[int, dict[str, Any]]:  # Any: JSON
    """The fact of each message that says something new, by its place."""
    ids = [each.delivery_id for each in messages.values() if each.delivery_id is not None]
    repeated: set[tuple[str, str | None]] = set()
    if ids:
        rows = Fact.objects.filter(team=team, kind="deploy", delivery_id__in=ids)
        repeated = set(rows.values_list("source", "delivery_id"))
    found, longest = {}, deploy_timeout(team)
    for place, each in messages.items():
        if (each.source, each.delivery_id) in repeated:
            continue
        record = known.get(each.identity)
        news = news_of_deploy(
            record.payload if record else None,
            each.report.payload,
            received_at=each.received_at,
            is_start_assumed=record is not None and _is_start_assumed(record),
            longest=longest,
        )
        if news is not None:
            found[place] = news
    return found


def _deploys(team: Team, messages: Mapping[int, Incoming]) -> dict[int, Deploy]:
    """The rows of these messages, by place, with what an answer shows of them. One query."""
    if not messages:
        return {}
    rows = _told(
        team=team.pk,
        sources=sorted({each.source for each in messages.values()}),
        services=sorted({each.report.service for each in messages.values()}),
        ids=sorted({each.report.id for each in messages.values()}),
    )
    found = {(row.source, row.service.name, row.external_id): row for row in rows}
    for row in found.values():
        row.team = row.service.team = team
    return {
        place: found[each.source, each.report.service, each.report.id] for place, each in messages.items()
    }  # fmt: skip


def _tell_contents(
    team: Team,
    messages: Mapping[int, Incoming],
    deploys: dict[int, Deploy],
    news: Mapping[int, Mapping[str, Any]],  # Any: JSON
) -> set[int]:
    """Lists commits, names heads and follows pushes; the places of messages whose commits were news.

    `deploys` are read again where that changed them.
    """
    said = {place: each for place, each in messages.items() if each.commits}
    listed: set[int] = set()
    if said:
        contained = [
            Contained(each.commits, [deploys[place]], each.received_at, each.origin) for place, each in said.items()
        ]
        with_news = list_all_commits(team=team, contained=contained)
        listed = {place for index, place in enumerate(said) if index in with_news}
    releases = {deploys[place].release_id for place in news if "release" in news[place]}
    full = (
        {row["release"] for row in _filled(releases=sorted(pk for pk in releases if pk is not None))}
        if releases
        else ()
    )
    changed = {
        place
        for place in news
        if deploys[place].release_id in full
        and "release" in news[place]
        and inherit_commits(team=team, deploy=deploys[place], received_at=messages[place].received_at)
    }
    _name_heads(messages, deploys)
    pushed = [place for place in news if deploys[place].commit_sha]
    if pushed and has_pushes(team):
        changed.update(
            place for place in pushed if follow_pushes(deploy=deploys[place], received_at=messages[place].received_at)
        )
    if changed:
        deploys.update(_deploys(team, {place: messages[place] for place in changed}))
    return listed


def _name_heads(messages: Mapping[int, Incoming], deploys: Mapping[int, Deploy]) -> None:
    """Notes the commits that releases were built from. One statement, where one is not as before."""
    heads = {
        release.pk: each.head_sha
        for place, each in messages.items()
        if each.head_sha and (release := deploys[place].release) is not None and release.head_sha != each.head_sha
    }
    if heads:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {Release._meta.db_table} SET head_sha = %s WHERE id = %s",  # noqa: S608 -- name from the model
                [(sha, pk) for pk, sha in sorted(heads.items())],
            )


def _unknown_names(team: Team, messages: Sequence[Incoming]) -> dict[int, UnknownName]:
    """What is wrong with messages that name a service or environment which does not exist and may not make one."""
    bound = {place: each.report for place, each in enumerate(messages) if not each.can_create}
    if not bound:
        return {}
    services, environments = _known_names(team, [report.service for report in bound.values()])
    found: dict[int, UnknownName] = {}
    for place, report in bound.items():
        environment = report.environment or "production"
        if report.service not in services:
            found[place] = UnknownService(report.service)
        elif environment.lower() not in environments:
            found[place] = UnknownEnvironment(environment)
    return found


def _known_names(team: Team, services: Sequence[str]) -> tuple[set[str], set[str]]:
    """Which of these services exist, and all environments in lower case. Two queries."""
    known = set(team.services.filter(name__in=services).values_list("name", flat=True))
    return known, {name.lower() for name in team.environments.values_list("name", flat=True)}


def check_known(*, team: Team, services: list[str], environment: str | None) -> None:
    """Raises UnknownService or UnknownEnvironment for the first name that does not exist in the team.

    No environment: it is not looked at.
    """
    known, environments = _known_names(team, services)
    for name in services:
        if name not in known:
            raise UnknownService(name)
    if environment is not None and environment.lower() not in environments:
        raise UnknownEnvironment(environment)


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
