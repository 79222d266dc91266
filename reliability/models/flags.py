"""Who wants no reminders of flags."""

from __future__ import annotations

from django.db import models

from deploys.models import Team, User


class FlagMailStop(models.Model):
    """Somebody who is not to be reminded of a team's flags."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    stopped_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="flag_mail_stop_once")]
