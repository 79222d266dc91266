"""Work that recurs: rows with a lease, run by any worker. There is no scheduler process to lose."""

from __future__ import annotations

from django.db import models


class ScheduledJob(models.Model):
    """One recurring task. A worker claims it by a conditional update; a lease that ran out may be claimed again."""

    name = models.CharField(max_length=100, unique=True)
    period_seconds = models.FloatField()
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    last_started_at = models.DateTimeField(null=True)
    last_finished_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="")
