"""Traffic counts and what senders say they lost."""

from __future__ import annotations

from django.db import models

from deploys.models import Environment, Service


class TrafficCount(models.Model):
    """Sessions or requests that began in [at, at + seconds): the denominator of errors.

    Identity is (service, environment, release, at). Live increments add up in one row per hour of receipt; an imported
    row replaces what was known of its identity before `received_at` (null: known since ever).
    """

    class Origin(models.TextChoices):
        LIVE = "live"
        IMPORT = "import"

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    release = models.CharField(max_length=250, default="")
    at = models.DateTimeField()
    seconds = models.FloatField()
    count = models.PositiveBigIntegerField()
    failed = models.PositiveBigIntegerField(null=True)
    origin = models.CharField(max_length=6, choices=Origin.choices, default=Origin.LIVE)
    received_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "environment", "release", "at", "origin", "received_at"], name="traffic_once"
            ),
        ]
        indexes = [
            models.Index(fields=["service", "environment", "at"], name="traffic_time"),
            models.Index(fields=["at"], name="traffic_at"),
        ]


class ReleaseSighting(models.Model):
    """A release in the errors and sessions of a service: when it was first and last seen, as the sweep finds it."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    release = models.CharField(max_length=250)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "environment", "release"], name="release_sighting_once")
        ]


class NamesUsed(models.Model):
    """The names that a service has brought within an hour, up to a bound: counts are kept by these."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10)  # release or host
    hour = models.PositiveBigIntegerField()  # hours since 1970
    names = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "kind"], name="names_used_once")]


class SessionSeen(models.Model):
    """What was counted of one session, kept while its updates may still come: it counts once and fails once.

    It was counted under `environment`, `release` and the minute `at`. `ended_order` is the place of the update that ended
    it (null: it goes on); `failed_hour_at` is the hour of receipt under which its failure was counted (null: it did not
    fail).
    """

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    sid = models.CharField(max_length=32)
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    release = models.CharField(max_length=250, default="")
    at = models.DateTimeField()
    ended_order = models.BigIntegerField(null=True)
    failed_hour_at = models.DateTimeField(null=True)
    updates_count = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField("when its last update was received")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "sid"], name="session_once")]
        indexes = [models.Index(fields=["seen_at"], name="session_expiry")]


class RequestCount(models.Model):
    """Requests that traces tell of and that began in the five minutes from `bucket_at`, by release.

    `sketch` holds how long they took (incidents.domain.latency). Senders sample traces, so this is no denominator.
    """

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    bucket_at = models.DateTimeField()
    release = models.CharField(max_length=250, default="")
    count = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    updates_count = models.PositiveIntegerField("in how many batches it was added to", default=0)
    sketch = models.BinaryField(default=b"")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "environment", "bucket_at", "release"], name="request_once")
        ]
        indexes = [models.Index(fields=["service", "bucket_at"], name="request_time")]


class LossCount(models.Model):
    """Events that an SDK says it dropped before sending, by hour, reason and category."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    hour_at = models.DateTimeField()
    reason = models.CharField(max_length=60)
    category = models.CharField(max_length=60)
    quantity = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "hour_at", "reason", "category"], name="loss_once")]


class IngestCount(models.Model):
    """What became of what a service sent, by hour, item and outcome.

    The item `body` stands for whole requests: `accepted` in the hour of receipt, counted exactly by the digest once it
    has them; `dead` in the hour they went to the dead letters; `refused:<reason>` in the hour they were refused, with a
    reason of `incidents.actions.refusals.Refused`, within seconds, and short of some seconds after a killed web process.
    All other items are types of envelope items: stored, duplicate, counted, skipped, in the hour of the digest.
    """

    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    hour_at = models.DateTimeField()
    item = models.CharField(max_length=40)
    outcome = models.CharField(max_length=40)
    quantity = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "hour_at", "item", "outcome"], name="ingest_once")]
