"""Incidents: something users or operators must know of. Each row is the fold of facts of kind `incident`."""

from __future__ import annotations

from django.db import models

from deploys.domain.identifiers import uuid7
from deploys.models import Change, Environment, Service, Team, User
from incidents.domain.response import Ending, Severity
from incidents.models.issues import Issue


class ImpactClass(models.TextChoices):
    """How users were hit, worst first."""

    DOWNTIME = "downtime", "downtime"
    MULTI_USER = "multi_user", "multi-user"
    SINGLE_USER = "single_user", "single-user"
    IMPACTLESS = "impactless", "impactless"


#: A value of `due_at` that lies before the now of every run, also of one that has begun and waits for its turn: were it the
#: present instant, that run would take the incident for not due yet, and then say when it is next.
AT_ONCE = models.F("begins_at")


class Incident(models.Model):
    """One thing that went wrong. Open until `restored_at`; `closed_at` when people are done with it.

    `person_keys` names the keys of the record that a person has set: the machine never overwrites those.
    `events_count` and `users_count` are measured from its issues' events and are evidence, not facts. `split_from`: a
    person took it out of that one, so the machine does not join them again.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="incidents")
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    number = models.PositiveIntegerField()
    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=200)
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="+")
    title = models.CharField(max_length=300, default="")
    impact_class = models.CharField(max_length=12, choices=ImpactClass.choices)
    degradation = models.FloatField(null=True)
    started_at = models.DateTimeField(null=True)
    detected_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    mitigated_at = models.DateTimeField(null=True)
    restored_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    begins_at = models.DateTimeField("started, else detected: what lists sort by")
    is_dismissed = models.BooleanField(default=False)
    duplicate_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="duplicates")
    duplicate_of_reference = models.CharField("the id as told", max_length=200, default="")
    detected_by = models.CharField(max_length=100, default="person")
    person_keys = models.JSONField(default=list)
    class_note = models.CharField("why this class, in words", max_length=300, default="")
    events_count = models.PositiveBigIntegerField(default=0)
    users_count = models.PositiveBigIntegerField(default=0)
    last_evidence_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField("when the machine must look again", null=True)
    lead = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    severity = models.CharField("how urgently people work on it", max_length=4, default="", db_default="", blank=True)
    missing_test = models.CharField(
        "the test that would have caught it", max_length=300, default="", db_default="", blank=True
    )
    ended_by = models.CharField(
        "what ended it, where no change did", max_length=10, default="", db_default="", blank=True
    )
    ended_note = models.CharField(max_length=300, default="", db_default="", blank=True)
    split_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="splits")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "number"], name="incident_number_once"),
            models.UniqueConstraint(fields=["team", "source", "external_id"], name="incident_once"),
            models.CheckConstraint(
                condition=models.Q(impact_class__in=ImpactClass.values), name="incident_class_known"
            ),
            models.CheckConstraint(
                condition=models.Q(severity__in=[each.value for each in Severity]), name="incident_severity_known"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_by__in=[each.value for each in Ending]), name="incident_ending_known"
            ),
            models.CheckConstraint(
                condition=models.Q(started_at__isnull=False) | models.Q(detected_at__isnull=False),
                name="incident_has_a_start",
            ),
            models.CheckConstraint(
                condition=models.Q(degradation__isnull=True) | models.Q(degradation__gte=0, degradation__lte=1),
                name="incident_degradation_range",
            ),
        ]
        indexes = [
            models.Index(fields=["team", "-begins_at", "-id"], name="incident_newest"),
            models.Index(fields=["team", "restored_at"], name="incident_open"),
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="incident_due"),
        ]

    @property
    def slug(self) -> str:
        """What people call it, for example INC-141."""
        return f"INC-{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether the impact goes on, as far as known."""
        return self.restored_at is None and not self.is_dismissed

    @property
    def standing(self) -> str:
        """Where it stands, for programs: open, restored, closed, dismissed or duplicate."""
        if self.is_dismissed:
            return "dismissed"
        if self.duplicate_of_id is not None:
            return "duplicate"
        if self.closed_at is not None:
            return "closed"
        return "open" if self.restored_at is None else "restored"


class IncidentService(models.Model):
    """A service that an incident hit; position 0 is the one it is told of first."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="incident_services")
    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "service"], name="incident_service_once")]
        ordering = ["position", "id"]


class IncidentIssue(models.Model):
    """An issue whose events are evidence of an incident, from `from_at` on."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="incident_issues")
    issue = models.ForeignKey(Issue, models.CASCADE, related_name="incident_issues")
    from_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "issue"], name="incident_issue_once")]


class ImpactSpell(models.Model):
    """One of the times in which an incident hurt, if it came and went."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="impact_spells")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True)
    degradation = models.FloatField(null=True)


class Cause(models.Model):
    """What an incident is laid at: a change, something else known, or unknown."""

    class Kind(models.TextChoices):
        DEPLOY = "deploy"
        FLAG = "flag"
        EXTERNAL = "external"
        INFRASTRUCTURE = "infrastructure"
        CAPACITY = "capacity"
        UNKNOWN = "unknown"

    class Status(models.TextChoices):
        CONFIRMED = "confirmed"
        SUGGESTED = "suggested"
        REJECTED = "rejected"

    class By(models.TextChoices):
        PERSON = "person"
        MODEL = "model"

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="causes")
    kind = models.CharField(max_length=14, choices=Kind.choices)
    change = models.ForeignKey(Change, models.CASCADE, null=True, related_name="+")
    external_id = models.CharField("the id as told", max_length=200, default="")
    weight = models.FloatField(null=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.CONFIRMED)
    by = models.CharField(max_length=6, choices=By.choices, default=By.PERSON)
    probability = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weight__isnull=True) | models.Q(weight__gt=0, weight__lte=1),
                name="cause_weight_range",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["confirmed", "suggested", "rejected"]), name="cause_status_known"
            ),
        ]
        indexes = [models.Index(fields=["change", "status"], name="cause_by_change")]


class Remedy(models.Model):
    """A change that ended an incident."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="remedies")
    kind = models.CharField(max_length=6)
    change = models.ForeignKey(Change, models.CASCADE, null=True, related_name="+")
    external_id = models.CharField(max_length=200, default="")


class TimelineEntry(models.Model):
    """One line of an incident's story: a person's note (Markdown), or something the machine or a person did."""

    class Kind(models.TextChoices):
        NOTE = "note"
        OPENED = "opened"
        CLOCK = "clock"
        CLASS = "class"
        CAUSE = "cause"
        VERDICT = "verdict"
        CHANGE = "change"
        EVIDENCE = "evidence"
        STATE = "state"

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="timeline")
    at = models.DateTimeField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    text = models.TextField()
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    change = models.ForeignKey(Change, models.CASCADE, null=True, related_name="+")
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["incident", "at", "id"], name="timeline_order")]
