"""Jobs that report when they run, and their runs."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Environment, Service


class Job(models.Model):
    """A recurring job of a service, made by its first check-in, with the schedule it declares.

    `schedule` is a crontab line read in `zone`, or a length such as `10 minute`; empty where the job declared none, so
    that nothing is ever missed. `expected_at` is its next start; `due_at` the next instant at which silence is a fault.
    `failing_since` is the earliest failed run of those that no recovery has ended.
    """

    class ScheduleKind(models.TextChoices):
        NONE = ""
        CRONTAB = "crontab"
        INTERVAL = "interval"

    service = models.ForeignKey(Service, models.CASCADE, related_name="jobs")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    slug = models.CharField(max_length=100)
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    schedule_kind = models.CharField(max_length=8, choices=ScheduleKind.choices, default=ScheduleKind.NONE, blank=True)
    schedule = models.CharField(max_length=200, default="")
    zone = models.CharField(max_length=64, default="UTC")
    margin_seconds = models.PositiveIntegerField(default=60)
    max_runtime_seconds = models.PositiveIntegerField(default=1_800)
    failure_threshold = models.PositiveSmallIntegerField(default=1)
    recovery_threshold = models.PositiveSmallIntegerField(default=1)
    is_backup = models.BooleanField("it makes copies that must be restorable", default=False, db_default=False)
    configured_at = models.DateTimeField("when the schedule was last told", null=True)
    created_at = models.DateTimeField()
    expected_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    missed_in_row = models.PositiveSmallIntegerField(default=0)
    last_status = models.CharField(max_length=12, default="")
    last_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "environment", "slug"], name="job_once"),
            models.CheckConstraint(
                condition=models.Q(failure_threshold__gte=1, recovery_threshold__gte=1), name="job_thresholds_sane"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="job_due")]

    @property
    def schedule_words(self) -> str:
        """How often, in words; a crontab line as it is."""
        if self.schedule_kind != self.ScheduleKind.INTERVAL:
            return self.schedule
        number, unit = self.schedule.split()
        return f"every {unit}" if number == "1" else f"every {number} {unit}s"

    @property
    def source(self) -> str:
        """What its checks are filed under."""
        return f"job:{self.public_id.hex}"


class PingKey(models.Model):
    """Lets the jobs of a service ping by their own names. It is a part of an address, like a DSN's key."""

    service = models.OneToOneField(Service, models.CASCADE, related_name="ping_key")
    key = models.CharField(max_length=40, unique=True)


class JobRun(models.Model):
    """One run of a job: what it reported, or that it did not. `told_status` and `told_at` are its own last word.

    `checked_at` is the instant of the check that stands for its outcome; null while it runs.
    """

    class Status(models.TextChoices):
        IN_PROGRESS = "in_progress"
        OK = "ok"
        ERROR = "error"
        MISSED = "missed"
        TIMEOUT = "timeout"

    job = models.ForeignKey(Job, models.CASCADE, related_name="runs")
    run_id = models.CharField(max_length=32)
    status = models.CharField(max_length=12, choices=Status.choices)
    started_at = models.DateTimeField()
    told_status = models.CharField(max_length=12, default="")
    told_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)
    release = models.CharField(max_length=250, default="")
    checked_at = models.DateTimeField(null=True)
    artifact = models.JSONField("what a backup told of what it made", null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "run_id"], name="job_run_once")]
        indexes = [
            models.Index(fields=["job", "-started_at"], name="job_run_newest"),
            models.Index(fields=["started_at"], name="job_run_age"),
        ]

    @property
    def took(self) -> timedelta | None:
        """How long it took: by its own word, else from its start to its end; None where it has not told an end."""
        if self.seconds is not None:
            return timedelta(seconds=self.seconds)
        return None if self.told_at is None else self.told_at - self.started_at
