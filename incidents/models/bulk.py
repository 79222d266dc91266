"""Acts on many incidents at once, with what there was before."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Team, User


class BulkAct(models.Model):
    """One act on several incidents, so that it can be taken back. `before`: what each had, by its key as text."""

    class Act(models.TextChoices):
        CLOSE = "close", "close"
        DISMISS = "dismiss", "dismiss as false alarms"
        SEVERITY = "severity", "set the severity"

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    act = models.CharField(max_length=8, choices=Act.choices)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    before = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(act__in=["close", "dismiss", "severity"]), name="bulk_act_known")
        ]
        indexes = [models.Index(fields=["team", "by", "-at"], name="bulk_act_newest")]
