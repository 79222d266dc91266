"""Notices: the channels of a team, what was told last of each incident, and what is told to whom by which channel."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Team, User
from incidents.models import Incident


def default_subjects() -> list[str]:
    """What a new channel tells."""
    return ["downtime", "multi_user", "budget", "promise", "upkeep"]


class Channel(models.Model):
    """One way to people or machines. `subjects` are the classes of incident it tells, `budget` for budgets that burn too
    fast, `promise` for action items that are due, `upkeep` for certificates that end.

    `url_encrypted` is where Slack, Teams or a webhook listens: an address that holds a secret; `host` is what pages show of it.
    A channel that is removed stays for its log.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", "e-mail"
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"
        WEBHOOK = "webhook", "webhook"

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    name = models.CharField(max_length=100)
    subjects = models.JSONField(default=default_subjects)
    is_first = models.BooleanField("made because the team had none", default=False)
    is_to_members = models.BooleanField("to everybody who may act", default=False)
    addresses = models.JSONField(default=list)
    url_encrypted = models.BinaryField(null=True)
    host = models.CharField(max_length=260, default="")
    secret_encrypted = models.BinaryField(null=True)
    previous_secret_encrypted = models.BinaryField(null=True)
    previous_secret_until = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64, default="UTC")
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)
    is_quiet_for_downtime = models.BooleanField(default=False)
    muted_until = models.DateTimeField(null=True)
    off_at = models.DateTimeField(null=True)
    off_because = models.CharField(max_length=200, default="")
    removed_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["email", "slack", "teams", "webhook"]), name="channel_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="channel_quiet_both",
            ),
            models.CheckConstraint(
                condition=models.Q(previous_secret_encrypted__isnull=True)
                | models.Q(previous_secret_until__isnull=False),
                name="channel_previous_secret_ends",
            ),
            models.UniqueConstraint(fields=["team"], condition=models.Q(is_first=True), name="channel_first_once"),
        ]


class IncidentNews(models.Model):
    """What was told last of an incident (reliability.domain.incident_news.Told), and whether there may be more to tell.

    `moved_at` is set in the transaction that changes the incident and cleared in the one that writes the notices.
    `worst_class` is empty while nothing was told. `number` counts the news.
    """

    incident = models.OneToOneField(Incident, models.CASCADE, related_name="+")
    moved_at = models.DateTimeField(null=True)
    number = models.PositiveIntegerField(default=0)
    worst_class = models.CharField(max_length=12, default="")
    is_restored = models.BooleanField(default=False)
    is_uncounted = models.BooleanField(default=False)
    cause = models.CharField(max_length=300, default="")
    muted_at = models.DateTimeField(null=True)
    muted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["moved_at"], condition=models.Q(moved_at__isnull=False), name="news_to_tell")]


class OutgoingNotice(models.Model):
    """One piece of news for one recipient of a channel. `key` names it: it is written once, however often it is found.

    Waiting while `outcome` is empty. Claimed while a worker hands it over; when the claim runs out, it is handed over
    again under the same `public_id`, by which a receiver knows it. `body` is what was sent, without secrets.
    `story` is what a machine is told, as it stood when it happened; a person is told how things stand when it is sent.
    """

    class Outcome(models.TextChoices):
        WAITING = "", "waiting"
        SENT = "sent", "sent"
        GIVEN_UP = "given_up", "given up"
        FOLDED = "folded", "told with a later one"
        MUTED = "muted", "muted"
        DROPPED = "dropped", "dropped"

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="notices")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, related_name="+")
    key = models.CharField(max_length=500, unique=True)
    what = models.CharField(max_length=20)
    subject = models.CharField("the class of incident, or budget, or test", max_length=12)
    urgency = models.CharField(max_length=6, default="page")
    recipient = models.CharField("an address; empty for channels that have one receiver", max_length=254, default="")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    story = models.JSONField(default=dict)
    title = models.CharField(max_length=300, default="")
    body = models.TextField(default="")
    occurred_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    attempts_count = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default="", blank=True)
    why = models.CharField(max_length=300, default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=["", "sent", "given_up", "folded", "muted", "dropped"]),
                name="notice_outcome_known",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="", ended_at__isnull=True)
                | (~models.Q(outcome="") & models.Q(ended_at__isnull=False)),
                name="notice_ends_with_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(outcome=""), name="notice_waiting"),
            models.Index(fields=["team", "-occurred_at", "-id"], name="notice_newest"),
            models.Index(fields=["incident", "channel"], name="notice_of_incident"),
        ]


class NoticeAttempt(models.Model):
    """One try to hand a notice over. `answer` is how the receiver's answer began."""

    notice = models.ForeignKey(OutgoingNotice, models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    verdict = models.CharField(max_length=8)
    words = models.CharField(max_length=300)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=500, default="")
    seconds = models.FloatField(default=0)

    class Meta:
        indexes = [models.Index(fields=["notice", "id"], name="attempt_order")]


class AcknowledgeLink(models.Model):
    """What proves that somebody holds the mail of a notice: lets this person acknowledge this incident, for a while.

    Only a hash of the secret is kept.
    """

    secret_hash = models.CharField(max_length=64, unique=True)
    notice = models.OneToOneField(OutgoingNotice, models.CASCADE, related_name="+")
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class ChannelLeaver(models.Model):
    """An address that wants no more mail of a channel."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="leavers")
    address = models.EmailField()
    left_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "address"], name="channel_left_once")]
