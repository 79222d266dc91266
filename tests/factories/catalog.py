"""The smallest valid team, people and services."""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from deploys.models import Environment, Membership, ProjectNumber, Role, Service, Team, Tier, User
from tests.conftest import NOON


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.org")


class TeamFactory(DjangoModelFactory[Team]):
    class Meta:
        model = Team

    slug = factory.Sequence(lambda n: f"team-{n}")
    name = factory.Sequence(lambda n: f"Team {n}")
    created_at = NOON


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    team = factory.SubFactory(TeamFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.RESPONDER
    created_at = NOON


class EnvironmentFactory(DjangoModelFactory[Environment]):
    class Meta:
        model = Environment

    team = factory.SubFactory(TeamFactory)
    name = "production"
    tier = Tier.PRODUCTION
    created_at = NOON


class ServiceFactory(DjangoModelFactory[Service]):
    class Meta:
        model = Service

    team = factory.SubFactory(TeamFactory)
    number = factory.LazyFunction(lambda: ProjectNumber.objects.create().pk)
    name = factory.Sequence(lambda n: f"service-{n}")
    created_at = NOON
