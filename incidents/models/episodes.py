"""Symptoms: one issue misbehaving for a while, a run of failed checks, an alert. Incidents are made of them."""

from __future__ import annotations

from django.db import models

from deploys.models import Environment, Service, Team
from incidents.models.incidents import Incident
from incidents.models.issues import Issue


class Episode(models.Model):
    """A symptom as detection found it, recomputed whenever evidence comes in. `issue` null: failed checks, or an alert.

    `last_at` is its last failing evidence; `ended_at` the first good check or word after it (checks and alerts only). `facts` keeps what
    grouping and attribution need to know of the issue.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="episodes")
    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    issue = models.ForeignKey(Issue, models.CASCADE, null=True, related_name="episodes")
    incident = models.ForeignKey(Incident, models.SET_NULL, null=True, related_name="episodes")
    started_at = models.DateTimeField()
    last_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField("when the rule was met")
    count = models.PositiveBigIntegerField()
    earlier_count = models.PositiveBigIntegerField("events of the issue before", default=0)
    reason = models.CharField(max_length=10)
    gap_seconds = models.FloatField(default=0)
    breadth = models.FloatField("0: a few users again and again, 1: every event another user", null=True)
    facts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(last_at__gte=models.F("started_at")), name="episode_forward"),
            models.CheckConstraint(
                condition=models.Q(reason__in=["novel", "regressed", "burst", "checks", "alert"]),
                name="episode_reason_known",
            ),
        ]
        indexes = [
            models.Index(fields=["team", "last_at"], name="episode_recent"),
            models.Index(fields=["issue", "started_at"], name="episode_of_issue"),
        ]


class CheckWatch(models.Model):
    """What detection still has to look at of a service's checks: set when one fails, or any comes while it is down."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    is_down = models.BooleanField(default=False)
    dirty_since = models.DateTimeField("instant of the earliest check not yet looked at", null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "environment"], name="check_watch_once")]
        indexes = [
            models.Index(
                fields=["dirty_since"], condition=models.Q(dirty_since__isnull=False), name="check_watch_dirty"
            )
        ]
