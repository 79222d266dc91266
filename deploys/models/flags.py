"""Flags that this instance serves: what they are, what each environment is told, and everything that was done to them.

`Flag` and `FlagChange` (in `changes`) are folds of the fact log: what the numbers and the timeline see of a flag, whoever
serves it. These tables are what an evaluation needs beyond that, and are written together with those facts.
"""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models.catalog import Environment, Role, Service, Team
from deploys.models.changes import Change
from deploys.models.sources import Source
from deploys.models.users import User


class FlagEpoch(models.Model):
    """One row: counts writes that evaluation must learn of. Its lock, held to the commit, puts those writes in order."""

    number = models.PositiveBigIntegerField(default=0)


class FlagEnvironment(models.Model):
    """How flags may be changed in an environment, and the epoch of its last change. Without a row: the defaults."""

    environment = models.OneToOneField(Environment, models.CASCADE, primary_key=True, related_name="flag_rights")
    epoch = models.PositiveBigIntegerField(default=0)
    write_role = models.CharField(max_length=10, choices=Role.choices, default=Role.RESPONDER)
    needs_approval = models.BooleanField("a second person approves each change", default=False)

    class Meta:
        indexes = [models.Index(fields=["epoch"], name="flag_environment_epoch")]
        constraints = [
            models.CheckConstraint(condition=models.Q(write_role__in=["responder", "admin"]), name="flag_role_writes")
        ]


class RegisteredFlag(models.Model):
    """A flag served from here. `variants` is a list of {name, value}: databases keep no order of keys."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="registered_flags")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    key = models.CharField(max_length=100)
    kind = models.CharField(max_length=12)
    value_type = models.CharField(max_length=8)
    variants = models.JSONField()
    off_variant = models.CharField(max_length=100)
    salt = models.CharField(max_length=64)
    description = models.TextField(default="")
    owner = models.CharField(max_length=200, default="")
    ticket_url = models.URLField(max_length=500, default="")
    services = models.ManyToManyField(Service, related_name="+")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "key"], name="registered_flag_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["release", "experiment", "migration", "ops", "permission", "kill_switch"]),
                name="registered_flag_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(value_type__in=["boolean", "string", "integer", "float", "object"]),
                name="registered_flag_type_known",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def kind_words(self) -> str:
        """The kind as people write it."""
        return self.kind.replace("_", " ")


class FlagSettings(models.Model):
    """A flag's rules in one environment (`deploys.domain.flag_documents`). Without a row the flag is off there.

    `noted_at`: changes that time made (steps of a schedule, ends of a kill) are in the timeline up to here.
    """

    flag = models.ForeignKey(RegisteredFlag, models.CASCADE, related_name="settings")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    document = models.JSONField()
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    noted_at = models.DateTimeField()
    is_timed = models.BooleanField("time alone may change what it serves", default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flag", "environment"], name="flag_settings_once")]
        indexes = [models.Index(fields=["noted_at"], condition=models.Q(is_timed=True), name="flag_settings_timed")]


class FlagSegment(models.Model):
    """Users named once and used by many rules of a team's flags."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="flag_segments")
    key = models.CharField(max_length=100)
    document = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="flag_segment_once")]


class FlagRevision(models.Model):
    """One thing done to a flag: who, when, why, and what stood before and after. Never changed, never deleted alone."""

    class Act(models.TextChoices):
        CREATED = "created"
        CHANGED = "changed"
        KILLED = "killed"
        REVIVED = "revived"
        DESCRIBED = "described"
        ARCHIVED = "archived"
        RESTORED = "restored"
        IMPORTED = "imported"
        STEPPED = "stepped", "changed by schedule"
        KEPT = "kept", "postponed"
        DONE = "done", "to-do closed"
        REOPENED = "reopened", "to-do opened again"
        REHEARSED = "rehearsed"
        CLIENTS = "clients", "support of older apps"

    flag = models.ForeignKey(RegisteredFlag, models.CASCADE, related_name="revisions")
    environment = models.ForeignKey(Environment, models.CASCADE, null=True, related_name="+")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    act = models.CharField(max_length=10, choices=Act.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    approved_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    change = models.ForeignKey(Change, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["flag", "-at", "-id"], name="flag_revision_newest")]


class FlagProposal(models.Model):
    """A change that waits for a second person. It is applied only while what it was made from still stands."""

    class State(models.TextChoices):
        OPEN = "open"
        APPLIED = "applied"
        REFUSED = "refused"
        OUTDATED = "outdated"

    flag = models.ForeignKey(RegisteredFlag, models.CASCADE, related_name="proposals")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    document = models.JSONField()
    version = models.PositiveIntegerField("of the settings it was made from")
    reason = models.TextField(default="")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["flag"], condition=models.Q(state="open"), name="flag_proposal_open")]


class FlagKey(models.Model):
    """What lets an application evaluate the flags of one environment. `secret_hash` is the SHA-256 of the whole key.

    A browser's key is readable by anybody who opens the page: it may be used from the origins it names, and sees only
    what it asks for.
    """

    class Kind(models.TextChoices):
        SERVER = "server"
        BROWSER = "browser"

    team = models.ForeignKey(Team, models.CASCADE, related_name="flag_keys")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    application = models.CharField("what asks; counted apart", max_length=100)
    origins = models.JSONField(default=list)
    prefix = models.CharField(max_length=16)
    secret_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class FlagCheck(models.Model):
    """How often a flag was asked for in an hour. A bulk listing names every flag: counted apart, never as a check.

    A key that is no flag's is counted too, with no variant: somebody still asks for it.
    """

    class Kind(models.TextChoices):
        CHECK = "check"
        BULK = "bulk"
        FALLBACK = "fallback", "fell back to the old way"

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    application = models.CharField(max_length=100)
    variant = models.CharField(max_length=100)
    hour = models.DateTimeField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    quantity = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "key", "application", "variant", "hour", "kind"], name="flag_check_once"
            )
        ]
        indexes = [models.Index(fields=["environment", "hour"], name="flag_check_hour")]


class FlagTask(models.Model):
    """The to-do that comes with a flag: take it out again, by the flag's date. And what people said about that.

    `kept_until`: postponed so far, with a reason, and how often. `rehearsed_at`: a kill switch was tried out.
    `clients_until`: older releases of apps on users' devices are supported so long. Without a row: open, nothing said.
    `ticket_is_closed`, since `ticket_at`, is what a webhook told of the ticket `ticket_key` (`deploys.domain.tickets`), last at
    `ticket_told_at` by the tracker's clock and `ticket_heard_at` by ours; it counts only while the flag names that ticket.
    """

    flag = models.OneToOneField(RegisteredFlag, models.CASCADE, primary_key=True, related_name="task")
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    kept_until = models.DateTimeField(null=True)
    kept_reason = models.TextField(default="")
    kept_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    kept_count = models.PositiveSmallIntegerField(default=0)
    rehearsed_at = models.DateTimeField(null=True)
    clients_until = models.DateTimeField(null=True)
    ticket_key = models.CharField(max_length=500, default="", db_default="")
    ticket_is_closed = models.BooleanField(null=True)
    ticket_at = models.DateTimeField(null=True)
    ticket_told_at = models.DateTimeField(null=True)
    ticket_heard_at = models.DateTimeField(null=True)
    ticket_source = models.ForeignKey(Source, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kept_until__isnull=True) | ~models.Q(kept_reason=""), name="flag_kept_for_a_reason"
            )
        ]
