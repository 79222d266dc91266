"""Closed reports: immutable snapshots, restated in the open."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Team


class ReportSnapshot(models.Model):
    """One closed period as it was known at `as_of_at`. Never edited; a restatement is the next number."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="report_snapshots")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    label = models.CharField("for example 2026-W13", max_length=12)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    zone = models.CharField(max_length=64)
    as_of_at = models.DateTimeField()
    number = models.PositiveSmallIntegerField()
    reason = models.TextField("why it was restated", default="")
    difference = models.JSONField(default=list)
    result = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "label", "number"], name="snapshot_number_once")]
