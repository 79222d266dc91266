"""The smallest valid deploy and flag change. Rows only: tests of what follows from facts record facts instead."""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from deploys.models import Change, Deploy, Flag, FlagChange, Release
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, ServiceFactory, TeamFactory


class ReleaseFactory(DjangoModelFactory[Release]):
    class Meta:
        model = Release

    service = factory.SubFactory(ServiceFactory)
    version = factory.Sequence(lambda n: f"1.{n}.0")
    created_at = NOON


class DeployFactory(DjangoModelFactory[Deploy]):
    """A deploy that succeeded at noon; `team` decides whose everything is."""

    class Meta:
        model = Deploy

    team = factory.SubFactory(TeamFactory)
    service = factory.SubFactory(ServiceFactory, team=factory.SelfAttribute("..team"))
    environment = factory.LazyAttribute(
        lambda deploy: (
            deploy.team.environments.filter(name="production").first() or EnvironmentFactory(team=deploy.team)
        )
    )
    change = factory.LazyAttribute(
        lambda deploy: Change.objects.create(
            team=deploy.team,
            kind=Change.Kind.DEPLOY,
            environment=deploy.environment,
            service=deploy.service,
            at=deploy.started_at,
        )
    )
    source = "api"
    external_id = factory.Sequence(lambda n: f"run-{n}")
    status = "success"
    started_at = NOON
    finished_at = NOON
    first_received_at = NOON


class FlagFactory(DjangoModelFactory[Flag]):
    class Meta:
        model = Flag

    team = factory.SubFactory(TeamFactory)
    environment = factory.SubFactory(EnvironmentFactory, team=factory.SelfAttribute("..team"))
    key = factory.Sequence(lambda n: f"flag-{n}")


class FlagChangeFactory(DjangoModelFactory[FlagChange]):
    """A flag change at noon to half the users."""

    class Meta:
        model = FlagChange

    team = factory.SubFactory(TeamFactory)
    flag = factory.SubFactory(FlagFactory, team=factory.SelfAttribute("..team"))
    change = factory.LazyAttribute(
        lambda change: Change.objects.create(
            team=change.team, kind=Change.Kind.FLAG, environment=change.flag.environment, at=NOON
        )
    )
    source = "api"
    external_id = factory.Sequence(lambda n: f"flip-{n}")
    new_percent = 50
