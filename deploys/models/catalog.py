"""Teams, the services they run, and where those run."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Lower

from deploys.domain.identifiers import uuid7
from deploys.models.users import User


class Team(models.Model):
    """The tenant: all services that can hurt each other. Every row of the product reaches one team."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    zone = models.CharField("time zone of reports", max_length=64, default="UTC")
    auto_open = models.BooleanField("open incidents by itself", default=True)
    auto_confirm_at = models.FloatField("confirm the model's links from this probability", null=True, blank=True)
    event_days = models.PositiveSmallIntegerField("days that error reports are kept", default=90)
    user_salt = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(auto_confirm_at__isnull=True)
                | models.Q(auto_confirm_at__gte=0.5, auto_confirm_at__lte=1),
                name="team_auto_confirm_range",
            )
        ]

    def __str__(self) -> str:
        return self.slug


class Role(models.TextChoices):
    """What a member may do: look, work on incidents, or change the team's set-up. Each includes the one before."""

    VIEWER = "viewer", "viewer"
    RESPONDER = "responder", "responder"
    ADMIN = "admin", "admin"


class Membership(models.Model):
    """A person in a team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.RESPONDER)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]


class OwnerGroup(models.Model):
    """The people inside a team who own some of its services: for notifications and filtered reports."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="owner_groups")
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint("team", Lower("name"), name="owner_group_name_once")]


class ProjectNumber(models.Model):
    """The instance-wide sequence behind `Service.number`: a DSN needs an integer, used nowhere else."""


class Service(models.Model):
    """A thing a team runs. Its facts (life, critical, users, dependencies) are a fold of facts of kind `service`."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="services")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    number = models.PositiveBigIntegerField(unique=True)
    name = models.CharField(max_length=200)
    owner_group = models.ForeignKey(OwnerGroup, models.SET_NULL, null=True, blank=True, related_name="services")
    is_declared = models.BooleanField(default=True)
    is_critical = models.BooleanField(default=True)
    is_probed = models.BooleanField(default=False)
    is_unwatched = models.BooleanField("no evidence of availability has come yet", default=False)
    users_count = models.PositiveBigIntegerField(null=True, blank=True)
    hosts = models.JSONField(default=list)
    born_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    first_event_at = models.DateTimeField(null=True, blank=True)
    last_event_at = models.DateTimeField(null=True, blank=True)
    event_rate = models.PositiveIntegerField(
        "events a second it may send; null: as the instance", null=True, blank=True
    )
    event_burst = models.PositiveIntegerField("events it may send at once", null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "name"], name="service_name_once"),
            models.CheckConstraint(
                condition=models.Q(retired_at__isnull=True)
                | models.Q(born_at__isnull=True)
                | models.Q(retired_at__gte=models.F("born_at")),
                name="service_life_forward",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Dependency(models.Model):
    """`service` calls `depends_on`: declared by a person, or learned from messages and traces."""

    class Origin(models.TextChoices):
        DECLARED = "declared"
        LEARNED = "learned"

    service = models.ForeignKey(Service, models.CASCADE, related_name="dependencies")
    depends_on = models.ForeignKey(Service, models.CASCADE, related_name="dependants")
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.DECLARED)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "depends_on"], name="dependency_once"),
            models.CheckConstraint(condition=~models.Q(service=models.F("depends_on")), name="dependency_not_itself"),
        ]


class Tier(models.TextChoices):
    """What an environment is for; metrics count the production tier."""

    PRODUCTION = "production"
    STAGING = "staging"
    TESTING = "testing"
    DEVELOPMENT = "development"
    OTHER = "other"


class Environment(models.Model):
    """Where something runs, named as first sent, unique without case."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="environments")
    name = models.CharField(max_length=100)
    tier = models.CharField(max_length=12, choices=Tier.choices)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("team", Lower("name"), name="environment_name_once"),
            models.CheckConstraint(condition=models.Q(tier__in=Tier.values), name="environment_tier_known"),
        ]

    def __str__(self) -> str:
        return self.name


def default_failure_classes() -> list[str]:
    """The classes of incident that make a change count as failed, unless the team says otherwise."""
    return ["downtime", "multi_user"]


class Policy(models.Model):
    """How a team counts: the fold of facts of kind `history` (their `policy` key). Defaults are METRICS'."""

    team = models.OneToOneField(Team, models.CASCADE, related_name="policy")
    environment = models.CharField(max_length=100, default="production")
    failure_classes = models.JSONField(default=default_failure_classes)
    deploy_timeout_seconds = models.PositiveIntegerField(default=86_400)
    pending_seconds = models.PositiveIntegerField(default=259_200)
    maintenance_notice_seconds = models.PositiveIntegerField(default=86_400)
    stale_after_seconds = models.PositiveIntegerField(default=1_209_600)
