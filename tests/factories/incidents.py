"""The smallest valid incidents, issues, deploys and verdicts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import factory
from factory.django import DjangoModelFactory

from deploys.actions.facts import record_fact
from deploys.domain.identifiers import uuid7
from deploys.models import Change, Deploy, Flag, FlagChange, Release, Service, Team
from incidents.models import Candidate, ErrorEvent, EvidenceLine, Incident, Issue, IssueCount, Verdict
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, ServiceFactory


def environment_of(team: Team) -> Any:
    return team.environments.filter(name="production").first() or EnvironmentFactory(team=team)


def service_of(team: Team, name: str = "shop") -> Service:
    return team.services.filter(name=name).first() or ServiceFactory(team=team, name=name)


def incident_of(team: Team, *, origin: str = "model", **keys: Any) -> Incident:
    """An open multi-user incident of the service shop, begun at NOON, as the fact log makes it."""
    external_id = str(keys.pop("id", uuid7()))
    payload = {
        "id": external_id, "services": ["shop"], "class": "multi_user", "started_at": "2026-03-04T12:00:00Z", "title": "It broke",
        **keys,
    }  # fmt: skip
    record_fact(team=team, kind="incident", payload=payload, received_at=NOON, origin=origin, source="upshot")
    return Incident.objects.get(team=team, source="upshot", external_id=external_id)


def deploy_of(
    team: Team, *, service: str = "shop", release: str = "1.4.0", at: dt.datetime = NOON - dt.timedelta(minutes=5), **fields: Any
) -> Change:  # fmt: skip
    """A successful deploy that started five minutes before NOON."""
    row, environment = service_of(team, service), environment_of(team)
    change = Change.objects.create(team=team, kind="deploy", environment=environment, service=row, at=at)
    version, _ = Release.objects.get_or_create(service=row, version=release, defaults={"created_at": at})
    Deploy.objects.create(
        change=change, team=team, service=row, environment=environment, started_at=at, release=version,
        **{
            "source": "api", "external_id": str(change.public_id), "status": "success",
            "finished_at": at + dt.timedelta(minutes=3), **fields,
        },
    )  # fmt: skip
    return change


def flag_of(team: Team, *, key: str = "instant-vat", at: dt.datetime = NOON - dt.timedelta(minutes=20)) -> Change:
    """A flag turned from 25 to 50 percent twenty minutes before NOON."""
    environment = environment_of(team)
    flag, _ = Flag.objects.get_or_create(team=team, environment=environment, key=key)
    change = Change.objects.create(team=team, kind="flag", environment=environment, at=at)
    FlagChange.objects.create(
        change=change,
        team=team,
        flag=flag,
        source="api",
        external_id=str(change.public_id),
        old_percent=25,
        new_percent=50,
    )
    return change


def verdict_of(incident: Incident, candidates: Sequence[tuple[Change | None, float]], *, number: int = 1) -> Verdict:
    """A verdict over these candidates, the likeliest first; each has one line of evidence for and one against it."""
    change, probability = candidates[0]
    verdict = Verdict.objects.create(
        incident=incident, number=number, computed_at=NOON, model_version="test", trigger="opened", change=change,
        outcome="likely" if probability >= 0.9 else "probable" if probability >= 0.5 else "undecided",
        probability=probability, candidates_count=len(candidates),
    )  # fmt: skip
    for rank, (each, odds) in enumerate(candidates, start=1):
        candidate = Candidate.objects.create(verdict=verdict, rank=rank, change=each, probability=odds)
        EvidenceLine.objects.create(
            candidate=candidate, position=1, term="service", log_ratio=2.0, sentence="same service as the errors"
        )
        EvidenceLine.objects.create(
            candidate=candidate, position=2, term="gap", log_ratio=-0.7, sentence="long before the first error"
        )
    return verdict


class IssueFactory(DjangoModelFactory[Issue]):
    class Meta:
        model = Issue

    service = factory.SubFactory(ServiceFactory)
    fingerprint = factory.Sequence(lambda n: f"{n:064x}")
    type = "KeyError"
    title = "KeyError: 'total'"
    first_seen_at = NOON
    last_seen_at = NOON


class ErrorEventFactory(DjangoModelFactory[ErrorEvent]):
    class Meta:
        model = ErrorEvent

    issue = factory.SubFactory(IssueFactory)
    service = factory.SelfAttribute("issue.service")
    environment = factory.LazyAttribute(lambda each: environment_of(each.issue.service.team))
    event_id = factory.Sequence(lambda n: f"{n:032x}")
    timestamp = NOON
    received_at = NOON


class IssueCountFactory(DjangoModelFactory[IssueCount]):
    class Meta:
        model = IssueCount

    issue = factory.SubFactory(IssueFactory)
    environment = factory.LazyAttribute(lambda each: environment_of(each.issue.service.team))
    bucket_at = NOON
    count = 1
