"""Everything that alters production: one cause space of deploys and flag changes."""

from __future__ import annotations

from typing import Final

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models.artifacts import Artifact, Release
from deploys.models.catalog import Environment, Service, Team


class Change(models.Model):
    """A deploy or a flag change, as attribution, timelines and the week strip see it. `at` is when it started."""

    class Kind(models.TextChoices):
        DEPLOY = "deploy"
        FLAG = "flag"

    team = models.ForeignKey(Team, models.CASCADE, related_name="changes")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="+")
    service = models.ForeignKey(Service, models.CASCADE, null=True, related_name="changes")
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["team", "at", "id"], name="change_time"),
            models.Index(fields=["service", "at", "id"], name="change_service_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="flag") | models.Q(service__isnull=False), name="deploy_has_service"
            )
        ]


INFERRED: Final = "inferred"
"""The source of a deploy that was seen in errors and sessions, and that nobody reported."""


class Deploy(models.Model):
    """A release reaching an environment. Status, times and so on are as sent; what is derived from them is computed.

    The columns `…_listed` are an index for lists and pages, rebuilt when facts change (`deploys.actions.listing`); metrics
    read of it only which versions were live before a window. An empty `outcome_listed` says that the row waits to be listed.
    """

    class Status(models.TextChoices):
        IN_PROGRESS = "in_progress"
        SUCCESS = "success"
        FAILURE = "failure"

    change = models.OneToOneField(Change, models.CASCADE, primary_key=True, related_name="deploy")
    team = models.ForeignKey(Team, models.CASCADE, related_name="deploys")
    service = models.ForeignKey(Service, models.CASCADE, related_name="deploys")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="+")
    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=200)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.IN_PROGRESS)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    live_at = models.DateTimeField("first production traffic, as stated", null=True)
    release = models.ForeignKey(Release, models.PROTECT, null=True, related_name="deploys")
    artifact = models.ForeignKey(Artifact, models.PROTECT, null=True, related_name="+")
    commit_sha = models.CharField("the newest commit in it", max_length=64, default="")
    kind_stated = models.CharField(max_length=10, default="")
    strategy = models.CharField(max_length=40, default="")
    percent = models.FloatField(null=True)
    has_canary_step = models.BooleanField("an in-progress message with a share of traffic came", default=False)
    files = models.JSONField(null=True)
    description = models.TextField(default="")
    url = models.URLField(max_length=500, default="")
    first_received_at = models.DateTimeField(null=True)
    kind_listed = models.CharField(max_length=10, default="")
    outcome_listed = models.CharField(max_length=14, default="")
    is_live_listed = models.BooleanField("serves users in its environment", default=False)
    live_listed_at = models.DateTimeField("first production traffic, derived", null=True)
    is_stacked_listed = models.BooleanField("put a version live that one may go back to", default=False)
    undone_listed_at = models.DateTimeField("when a rollback took it back", null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "source", "service", "external_id"], name="deploy_once"),
            models.UniqueConstraint(
                fields=["team", "external_id"], condition=models.Q(source="history"), name="history_deploy_once"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["in_progress", "success", "failure"]), name="deploy_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["service", "environment", "-started_at"], name="deploy_by_service"),
            models.Index(fields=["team", "-started_at"], name="deploy_newest"),
            models.Index(fields=["team", "service"], condition=models.Q(is_live_listed=True), name="deploy_live"),
            models.Index(fields=["team"], condition=models.Q(outcome_listed="running"), name="deploy_running"),
            models.Index(fields=["service"], condition=models.Q(outcome_listed=""), name="deploy_unlisted"),
            models.Index(fields=["service", "-live_listed_at"], name="deploy_went_live"),
            models.Index(
                fields=["service", "environment", "-live_listed_at"],
                condition=models.Q(outcome_listed="succeeded"),
                name="deploy_last_live",
            ),
            models.Index(
                fields=["service", "undone_listed_at"],
                condition=models.Q(undone_listed_at__isnull=False),
                name="deploy_undone",
            ),
            models.Index(
                fields=["service", "release"], condition=models.Q(is_stacked_listed=True), name="deploy_version"
            ),
            models.Index(fields=["team", "commit_sha"], condition=~models.Q(commit_sha=""), name="deploy_commit"),
            models.Index(fields=["service", "started_at"], condition=models.Q(source=INFERRED), name="deploy_inferred"),
        ]

    @property
    def is_inferred(self) -> bool:
        """Nobody reported it; errors and sessions showed it."""
        return self.source == INFERRED


class Flag(models.Model):
    """A feature flag's description in one environment, as told by its owner or learned from its changes."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="flags")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="+")
    key = models.CharField(max_length=200)
    is_permanent = models.BooleanField(default=False)
    owner = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    last_evaluated_at = models.DateTimeField(null=True)
    is_evaluation_measured = models.BooleanField(default=False)
    code_references = models.PositiveIntegerField(null=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "environment", "key"], name="flag_once")]


class FlagChange(models.Model):
    """One change of a flag's share or segment."""

    change = models.OneToOneField(Change, models.CASCADE, primary_key=True, related_name="flag_change")
    team = models.ForeignKey(Team, models.CASCADE, related_name="flag_changes")
    flag = models.ForeignKey(Flag, models.CASCADE, related_name="changes")
    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=200)
    old_percent = models.FloatField(null=True)
    new_percent = models.FloatField()
    segment = models.JSONField(null=True)
    services = models.ManyToManyField(Service, related_name="flag_changes")
    has_services = models.BooleanField("the sender named the services", default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "source", "external_id"], name="flag_change_once"),
            models.CheckConstraint(
                condition=models.Q(new_percent__gte=0, new_percent__lte=100), name="flag_percent_range"
            ),
        ]
