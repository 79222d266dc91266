"""What a team promises."""

from __future__ import annotations

from django.db import models

from deploys.models import Service, Team


class Objective(models.Model):
    """A target for one service or the whole: the fold of facts of kind `objective`."""

    class Sli(models.TextChoices):
        TIME = "time"
        REQUESTS = "requests"

    class Calendar(models.TextChoices):
        WEEK = "week"
        MONTH = "month"
        QUARTER = "quarter"

    team = models.ForeignKey(Team, models.CASCADE, related_name="objectives")
    external_id = models.CharField(max_length=200)
    service = models.ForeignKey(Service, models.CASCADE, null=True, related_name="+")
    sli = models.CharField(max_length=8, choices=Sli.choices, default=Sli.TIME)
    target = models.FloatField()
    window_days = models.PositiveSmallIntegerField(null=True)
    calendar = models.CharField(max_length=7, choices=Calendar.choices, null=True)
    min_requests = models.PositiveIntegerField(default=100)
    budget_policy = models.TextField("what the team does when the budget is spent; enters no number", default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "external_id"], name="objective_once"),
            models.CheckConstraint(condition=models.Q(target__gt=0, target__lte=1), name="objective_target_range"),
            models.CheckConstraint(
                condition=models.Q(window_days__isnull=False, calendar__isnull=True)
                | models.Q(window_days__isnull=True, calendar__isnull=False),
                name="objective_one_period",
            ),
        ]
