"""What each team wants taken out of its reports, and what not."""

from __future__ import annotations

from django.db import models

from deploys.models import Team, User


class PrivacyRules(models.Model):
    """A team's rules of scrubbing from `changed_at` on. Rows are only added: the last one is in force, all are the record."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    rules = models.JSONField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["team", "-id"], name="privacy_rules_latest")]
