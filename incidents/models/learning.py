"""What is learned from incidents: retrospectives, what is promised in them, and runbooks."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Service, Team, User
from incidents.domain.promises import ItemState
from incidents.models.incidents import Incident


class Retrospective(models.Model):
    """What people say about one incident afterwards. Facts are not kept here: they are read from the incident.

    `answers`: Markdown by the key of its prompt. `revision` counts savings, so that two people cannot overwrite each other.
    """

    incident = models.OneToOneField(Incident, models.CASCADE, related_name="retrospective")
    answers = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)
    finished_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")


class ActionItem(models.Model):
    """Something promised after an incident. `reminded_of` is the key of the last reminder that was told."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="action_items")
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="action_items")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    title = models.CharField(max_length=300)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    due_on = models.DateField(null=True)
    state = models.CharField(max_length=7, default=ItemState.OPEN)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField("when it was done or dropped", null=True)
    ended_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reminded_of = models.CharField(max_length=40, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[each.value for each in ItemState]), name="action_item_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", ended_at__isnull=True)
                | models.Q(state__in=["done", "dropped"], ended_at__isnull=False),
                name="action_item_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["team", "state", "due_on"], name="action_item_due"),
            models.Index(fields=["due_on"], condition=models.Q(state="open"), name="action_item_open"),
        ]


class Runbook(models.Model):
    """What to do when something of a service breaks; its text is that of its newest version."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="runbooks")
    service = models.ForeignKey(Service, models.CASCADE, related_name="runbooks")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    title = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "title"], name="runbook_once")]


class RunbookVersion(models.Model):
    """One state of a runbook's text, in Markdown. Versions are only added."""

    runbook = models.ForeignKey(Runbook, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.CharField("what changed, and why", max_length=300, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["runbook", "number"], name="runbook_version_once")]


class RunbookUse(models.Model):
    """That a runbook was followed in an incident, and whether it worked."""

    class Outcome(models.TextChoices):
        WORKED = "worked", "it worked"
        PARTLY = "partly", "it worked in part"
        FAILED = "failed", "it did not work"

    version = models.ForeignKey(RunbookVersion, models.CASCADE, related_name="uses")
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="runbook_uses")
    outcome = models.CharField(max_length=6, choices=Outcome.choices)
    note = models.CharField(max_length=300, default="")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=["worked", "partly", "failed"]), name="runbook_use_outcome_known"
            )
        ]
        indexes = [models.Index(fields=["version", "-at"], name="runbook_use_newest")]
