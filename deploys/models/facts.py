"""The fact log: every fact that enters a number, append-only. Model rows are folds of it."""

from __future__ import annotations

from django.db import models

from deploys.models.catalog import Team
from deploys.models.users import User


class FactKind(models.TextChoices):
    """The kinds of the history format that are facts (evidence lives in tables of its own)."""

    HISTORY = "history"
    SERVICE = "service"
    DEPLOY = "deploy"
    CHANGE = "change"
    FLAG = "flag"
    INCIDENT = "incident"
    MAINTENANCE = "maintenance"
    MONITORING_GAP = "monitoring_gap"
    OBJECTIVE = "objective"


class FactOrigin(models.TextChoices):
    """Who said it."""

    LIVE = "live"
    IMPORT = "import"
    PERSON = "person"
    MODEL = "model"


class Fact(models.Model):
    """One thing learned at one instant: the changed keys of one record, in the history format's words.

    `received_at` null means "known since ever, before all dated facts". Ties are ordered by `id` (the order of arrival).
    `identity` names the record inside (team, kind): see `deploys.actions.facts.identity_of`.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="facts")
    kind = models.CharField(max_length=16, choices=FactKind.choices)
    identity = models.CharField(max_length=600)
    received_at = models.DateTimeField(null=True)
    origin = models.CharField(max_length=8, choices=FactOrigin.choices)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    source = models.CharField(max_length=100, default="")
    delivery_id = models.CharField(max_length=200, null=True)
    payload = models.JSONField()

    class Meta:
        indexes = [
            models.Index(fields=["team", "kind", "identity", "received_at", "id"], name="fact_record"),
            models.Index(fields=["team", "received_at", "id"], name="fact_arrival"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "source", "kind", "delivery_id"],
                condition=models.Q(delivery_id__isnull=False),
                name="fact_delivery_once",
            ),
            models.CheckConstraint(condition=models.Q(kind__in=FactKind.values), name="fact_kind_known"),
            models.CheckConstraint(condition=models.Q(origin__in=FactOrigin.values), name="fact_origin_known"),
        ]
