"""What was acknowledged and not yet digested, and what could not be. No foreign keys: the inbox may be a file of its own."""

from __future__ import annotations

from django.db import models


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
    attempts = models.PositiveSmallIntegerField(default=0)


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
