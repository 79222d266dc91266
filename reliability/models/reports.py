"""Closed reports: immutable snapshots, restated in the open; who gets them, and who may read one without an account."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Team, User


def weekly_only() -> list[str]:
    """The periods that a team reports on unless it chose others."""
    return ["week"]


class ReportPlan(models.Model):
    """Which periods a team closes, and at which hour of the first day after (in the report's zone)."""

    team = models.OneToOneField(Team, models.CASCADE, related_name="report_plan")
    kinds = models.JSONField(default=weekly_only)
    closes_at_hour = models.PositiveSmallIntegerField(default=6)
    badge_key = models.CharField("in the addresses of badges", max_length=40, null=True, unique=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(closes_at_hour__lt=24), name="report_plan_hour")]


class ReportSnapshot(models.Model):
    """One closed period as it was known at `as_of_at`. Never edited; a restatement is the next number.

    `result` is the printed contract, `beside` what the report tells besides (see `reliability.domain.beside`).
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="report_snapshots")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    label = models.CharField("for example 2026-W13, 2026-03 or 2026-Q1", max_length=12)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    zone = models.CharField(max_length=64)
    as_of_at = models.DateTimeField()
    number = models.PositiveSmallIntegerField()
    reason = models.TextField("why it was restated", default="")
    difference = models.JSONField(default=list)
    result = models.JSONField()
    beside = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "label", "number"], name="snapshot_number_once")]


class ReportShare(models.Model):
    """A link that shows one report, and nothing else, to whoever holds it, until it is revoked or ends."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="report_shares")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=12)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class ReportSubscription(models.Model):
    """Somebody who gets a team's reports by mail. Stopping keeps the row, so that what was sent stays known.

    The report is sent at `hour` of a clock in `zone`, on the first such hour after it was closed.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="report_subscriptions")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    email = models.EmailField()
    kind = models.CharField(max_length=7, choices=[(each, each) for each in ("week", "month", "quarter")])
    zone = models.CharField(max_length=64)
    hour = models.PositiveSmallIntegerField(default=9)
    skips_quiet = models.BooleanField("not sent for a period in which nothing happened", default=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "email", "kind"], name="report_subscription_once"),
            models.CheckConstraint(condition=models.Q(hour__lt=24), name="report_subscription_hour"),
        ]


class ReportPdf(models.Model):
    """A report as PDF: asked for, then made by a worker. number: of the snapshot, 0 while the period is not closed."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="report_pdfs")
    label = models.CharField(max_length=12)
    number = models.PositiveSmallIntegerField()
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)
    content = models.BinaryField(null=True)
    problem = models.CharField("why it could not be made", max_length=500, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "label", "number"], name="report_pdf_once")]
        indexes = [
            models.Index(fields=["asked_at"], condition=models.Q(made_at__isnull=True), name="report_pdf_waiting")
        ]
