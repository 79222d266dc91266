"""What was acknowledged and not yet digested, and what could not be. No foreign keys: the inbox may be a file of its own."""

from __future__ import annotations

from django.db import models

from deploys.models import Team, User


class InboxItem(models.Model):
    """One accepted request body, compressed as it came. A row here is the promise behind a 200."""

    class Kind(models.TextChoices):
        ENVELOPE = "envelope"
        STORE = "store"

    project = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    encoding = models.CharField(max_length=10, default="")
    event_id = models.CharField(max_length=32, default="")
    body = models.BinaryField()
    received_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)  # deaths of workers that it was at hand at

    class Meta:
        indexes = [
            models.Index(fields=["project", "id"], name="inbox_turns"),
            models.Index(fields=["attempts", "id"], condition=models.Q(attempts__gt=0), name="inbox_suspects"),
        ]


class DeadLetter(models.Model):
    """One accepted body that could not be digested: kept raw, shown scrubbed, replayed or discarded by a person."""

    project = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=8)
    encoding = models.CharField(max_length=10, default="")
    event_id = models.CharField(max_length=32, default="")
    body = models.BinaryField()
    received_at = models.DateTimeField()
    failed_at = models.DateTimeField()
    reason = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["project", "-failed_at"], name="dead_letter_newest")]


class DigestMark(models.Model):
    """Ids of the inbox rows that the last batch of a digest took in, committed with what they became.

    Where the inbox is a file of its own, rows are deleted there after the batch has committed here. A process that dies
    in between leaves rows that were digested; the next one finds their ids here and deletes them instead of counting
    their sessions twice. One row, because an embedded instance digests one batch at a time.
    """

    name = models.CharField(max_length=20, unique=True)
    inbox_ids = models.JSONField(default=list)


class BatchInHand(models.Model):
    """Ids of inbox rows that a worker is digesting, or was digesting when it died (`incidents.actions.poison`)."""

    inbox_ids = models.JSONField(default=list)


class DeadLetterAct(models.Model):
    """Who replayed or discarded how many dead letters, and when. No team: letters that belonged to none any more."""

    class Act(models.TextChoices):
        REPLAY = "replay"
        DISCARD = "discard"

    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="+")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    act = models.CharField(max_length=7, choices=Act.choices)
    quantity = models.PositiveBigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["team", "-at"], name="dead_letter_act_newest")]
        constraints = [
            models.CheckConstraint(condition=models.Q(act__in=["replay", "discard"]), name="dead_letter_act_known")
        ]
