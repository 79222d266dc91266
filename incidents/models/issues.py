"""Issues: events with one fingerprint."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Environment, Service, User


class Issue(models.Model):
    """Events of a service that share a fingerprint. Counts are of events ever stored, but for `kept_count`.

    Issues that people merged become parts of a new issue (`merged_into`), which holds the events; no list shows parts.
    Counts and users of a part go on beside those of the whole, so that it can be taken out again at any time.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"
        IGNORED = "ignored"

    service = models.ForeignKey(Service, models.CASCADE, related_name="issues")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    grouping_version = models.PositiveSmallIntegerField(default=1)
    fingerprint = models.CharField(max_length=64)
    explanation = models.JSONField(default=dict)
    type = models.CharField(max_length=200, default="")
    title = models.CharField(max_length=300)
    culprit = models.CharField(max_length=300, default="")
    level = models.CharField(max_length=10, default="error")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    resolved_at = models.DateTimeField(null=True)
    resolved_in_release = models.CharField(max_length=250, default="")
    regressed_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    first_release = models.CharField(max_length=250, default="")
    events_count = models.PositiveBigIntegerField(default=0)
    kept_count = models.PositiveBigIntegerField("events that are still stored", default=0)
    users_count = models.PositiveBigIntegerField(default=0)
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    dirty_at = models.DateTimeField("touched since detection last looked", null=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="parts")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "grouping_version", "fingerprint"], name="issue_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "resolved", "ignored"]), name="issue_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["service", "status", "-last_seen_at"], name="issue_newest"),
            models.Index(fields=["dirty_at"], condition=models.Q(dirty_at__isnull=False), name="issue_dirty"),
        ]


class IssueAct(models.Model):
    """What people did to the grouping of an issue, kept for good. `parts` are its parts by public id and title."""

    class Kind(models.TextChoices):
        MERGED = "merged"
        TAKEN_OUT = "taken out"

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    issue = models.ForeignKey(Issue, models.SET_NULL, null=True, related_name="acts")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    parts = models.JSONField(default=list)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["merged", "taken out"]), name="issue_act_known")
        ]


class IssueUser(models.Model):
    """A user (hashed) whom an issue hit, for exact counts of distinct users."""

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="users")
    user_key = models.CharField(max_length=32)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "user_key"], name="issue_user_once")]


class IssueCount(models.Model):
    """Events of an issue in five minutes, by environment, release and host. `bucket_at` is the start of the five minutes."""

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="counts")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    bucket_at = models.DateTimeField()
    release = models.CharField(max_length=250, default="")
    host = models.CharField(max_length=200, default="")
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "bucket_at", "environment", "release", "host"], name="issue_count_once"
            )
        ]
        indexes = [
            models.Index(fields=["bucket_at"], name="issue_count_time"),
            models.Index(fields=["release", "issue"], name="issue_count_release"),
        ]
