"""Burn-rate alerts: the record of each, from when its rule first fired to its end."""

from __future__ import annotations

from django.db import models

from reliability.models.objectives import Objective


class BurnAlert(models.Model):
    """One stretch in which a rule of an objective fired. Rates and what was left are those of the opening."""

    objective = models.ForeignKey(Objective, models.CASCADE, related_name="alerts")
    rule = models.CharField(max_length=12)
    opened_at = models.DateTimeField()
    last_fired_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    long_burn_rate = models.FloatField()
    short_burn_rate = models.FloatField()
    budget_left_ratio = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["objective", "rule"], condition=models.Q(closed_at__isnull=True), name="burn_alert_open_once"
            )
        ]
        indexes = [models.Index(fields=["objective", "-opened_at"], name="burn_alert_of_objective")]
