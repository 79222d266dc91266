"""Where deploys and flag changes come from, and what became of each delivery."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models.catalog import Service, Team
from deploys.models.tokens import ApiToken


class Source(models.Model):
    """One set-up sender, for example a GitHub webhook. Secrets are encrypted (`deploys.actions.secrets`).

    `kind` is a key of `deploys.formats.sources.KINDS`. `rules` maps what the sender names to ours: a list of
    {"repository", "environment", "workflow", "service", "to_environment"}. With `is_strict`, only what a rule fits is taken.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="sources")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    service = models.ForeignKey(Service, models.SET_NULL, null=True, blank=True, related_name="sources")
    secret_encrypted = models.BinaryField()
    previous_secret_encrypted = models.BinaryField(null=True)
    previous_secret_until = models.DateTimeField(null=True)
    rules = models.JSONField(default=list)
    is_strict = models.BooleanField("only what a rule names", default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "kind", "name"], name="source_name_once"),
            models.CheckConstraint(
                condition=models.Q(previous_secret_encrypted__isnull=True)
                | models.Q(previous_secret_until__isnull=False),
                name="source_previous_secret_ends",
            ),
        ]


class Delivery(models.Model):
    """One request of a sender and what became of it: the ingest log a user reads."""

    class Verdict(models.TextChoices):
        CREATED = "created"
        UPDATED = "updated"
        DUPLICATE = "duplicate"
        IGNORED = "ignored"
        REFUSED = "refused"

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="deliveries")
    source = models.ForeignKey(Source, models.CASCADE, null=True, related_name="deliveries")
    token = models.ForeignKey(ApiToken, models.SET_NULL, null=True, related_name="+")
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=40)
    event = models.CharField(max_length=100, default="")
    delivery_id = models.CharField(max_length=200, default="")
    received_at = models.DateTimeField()
    signature = models.CharField(max_length=20, default="")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.TextField(default="")
    change = models.ForeignKey("deploys.Change", models.SET_NULL, null=True, related_name="deliveries")
    body = models.TextField(default="")
    raw_encrypted = models.BinaryField("what a replay needs, for a bounded time", null=True)
    replay_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replays")

    class Meta:
        indexes = [models.Index(fields=["team", "-received_at", "-id"], name="delivery_newest")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(verdict__in=["created", "updated", "duplicate", "ignored", "refused"]),
                name="delivery_verdict_known",
            )
        ]
