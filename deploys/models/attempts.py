"""Failed sign-ins, kept for a short while so that guessing is limited over all processes."""

from __future__ import annotations

from django.db import models


class SignInAttempt(models.Model):
    """One try that has not (yet) succeeded, by password or by token. Both keys are hashes: neither address is kept."""

    email_key = models.CharField(max_length=64)
    address_key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["email_key", "at"], name="attempt_by_email"),
            models.Index(fields=["address_key", "at"], name="attempt_by_address"),
            models.Index(fields=["at"], name="attempt_age"),
        ]
