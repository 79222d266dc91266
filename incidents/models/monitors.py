"""Is it up: monitors, their checks, and the times that do not count."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Environment, Service, Team


class Monitor(models.Model):
    """An HTTP address of a service that is asked again and again."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="monitors")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="+")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    url = models.URLField(max_length=500)
    period_seconds = models.PositiveIntegerField(default=60)
    timeout_seconds = models.FloatField(default=10)
    is_active = models.BooleanField(default=True)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    certificate_until = models.DateTimeField("when the certificate that was shown last ends", null=True)
    certificate_told = models.CharField("the last warning of its end", max_length=40, default="", db_default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(period_seconds__gte=5), name="monitor_period_sane"),
            models.CheckConstraint(
                condition=models.Q(timeout_seconds__gt=0, timeout_seconds__lte=60), name="monitor_timeout_sane"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(is_active=True), name="monitor_due")]


class Check(models.Model):
    """The result of one probe. `source` is the monitor's public id, or `history` for an imported one."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="checks")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    source = models.CharField(max_length=40)
    at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)
    ok = models.BooleanField()
    status = models.IntegerField(null=True)
    latency_ms = models.FloatField(null=True)
    problem = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "environment", "source", "at"], name="check_once")]
        indexes = [models.Index(fields=["service", "environment", "-at"], name="check_newest")]


class Maintenance(models.Model):
    """A slot of planned work: the fold of facts of kind `maintenance`."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="maintenances")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=200)
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="+")
    title = models.CharField(max_length=300, default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    announced_at = models.DateTimeField(null=True)
    is_for_all_services = models.BooleanField(default=True)
    services = models.ManyToManyField(Service, related_name="+")
    excused_by = models.CharField(max_length=200, default="")
    is_cancelled = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "source", "external_id"], name="maintenance_once"),
            models.CheckConstraint(condition=models.Q(ends_at__gte=models.F("starts_at")), name="maintenance_forward"),
        ]


class MonitoringGap(models.Model):
    """A time in which nobody watched: the fold of facts of kind `monitoring_gap`. Without end it lasts on."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="monitoring_gaps")
    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    is_for_all_services = models.BooleanField(default=True)
    services = models.ManyToManyField(Service, related_name="+")
    reason = models.CharField(max_length=300, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "source", "external_id"], name="gap_once"),
            models.CheckConstraint(
                condition=models.Q(ends_at__isnull=True) | models.Q(ends_at__gte=models.F("starts_at")),
                name="gap_forward",
            ),
        ]
