"""Mail that leaves the instance: written here first, then handed to the server, at most once."""

from __future__ import annotations

from django.db import models

from deploys.models import Team


class OutgoingMail(models.Model):
    """One mail to one person. `key` names what it is about, so that nothing is told twice.

    Waiting: neither sent nor given up. Claimed while a worker hands it over; one that died then is given up after an
    hour, because the mail may have arrived.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="outgoing_mail")
    key = models.CharField(max_length=500, unique=True)
    to = models.EmailField()
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(default="")
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(sent_at__isnull=True, given_up_at__isnull=True),
                name="mail_waiting",
            ),
            models.Index(fields=["team", "-created_at"], name="mail_of_team"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sent_at__isnull=True) | models.Q(given_up_at__isnull=True), name="mail_one_end"
            )
        ]
