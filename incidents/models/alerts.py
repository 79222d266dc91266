"""Alerts of other tools: what they are about, and every word that was said of them."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Environment, Service, Team


class Alert(models.Model):
    """One alert as its sender knows it: `origin` is the tool, `key` its own id there. Its words are folded by detection.

    `dirty_at`: when it last said something that detection has not looked at; null when all was looked at.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="alerts")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    origin = models.CharField(max_length=300)
    key = models.CharField(max_length=200)
    service = models.ForeignKey(Service, models.CASCADE, related_name="alerts")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="+")
    title = models.CharField(max_length=300)
    url = models.URLField(max_length=500, default="")
    says_down = models.BooleanField("the sender says that nothing works any more", default=False)
    heard_at = models.DateTimeField("when it was last heard of, by our clock")
    dirty_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "origin", "key"], name="alert_once")]
        indexes = [models.Index(fields=["dirty_at"], condition=models.Q(dirty_at__isnull=False), name="alert_dirty")]


class AlertWord(models.Model):
    """That an alert began to fire, was acknowledged or ended, at an instant by its sender's clock."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="words")
    state = models.CharField(max_length=12)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alert", "state", "at"], name="alert_word_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["detected", "acknowledged", "resolved"]), name="alert_word_state_known"
            ),
        ]
