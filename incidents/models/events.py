"""Error events: one report of one error."""

from __future__ import annotations

from django.db import models

from deploys.models import Environment, Service
from incidents.models.issues import Issue


class ErrorEvent(models.Model):
    """One error report, scrubbed. `timestamp` is corrected by the sender's clock offset; `payload` is zstd JSON."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    event_id = models.CharField(max_length=32)
    issue = models.ForeignKey(Issue, models.CASCADE, related_name="events")
    part = models.BigIntegerField("id of the issue its own fingerprint names, where people merged that", null=True)
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    timestamp = models.DateTimeField()
    received_at = models.DateTimeField()
    release = models.CharField(max_length=250, default="")
    host = models.CharField(max_length=200, default="")
    level = models.CharField(max_length=10, default="error")
    user_key = models.CharField("hash of whom it hit", max_length=32, default="")
    trace_key = models.CharField("session or trace, where no user is told", max_length=32, default="")
    is_from_request = models.BooleanField(null=True)
    message = models.TextField(default="")
    flags = models.JSONField(null=True)
    tags = models.JSONField(null=True)
    payload = models.BinaryField(default=b"")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "event_id"], name="event_once")]
        indexes = [
            models.Index(fields=["issue", "-timestamp"], name="event_newest"),
            models.Index(fields=["service", "timestamp"], name="event_time"),
            models.Index(
                fields=["service", "timestamp"], condition=models.Q(flags__isnull=False), name="event_with_flags"
            ),
        ]
