"""The roll-up that lets a window be read without the history before it: from when to when each record can matter.

All of it follows from the fact log and can be made anew from it (`reliability.actions.spans`).
"""

from __future__ import annotations

from django.db import models

from deploys.models import Team


class RecordSpan(models.Model):
    """A deploy, incident, maintenance slot or monitoring gap: `reliability.domain.spans.Span`, and what it is called.

    A deploy's span holds those of the incidents that ever named it. `name` is the external id, `public_id` and `change_id`
    those of a deploy's change. `may_cost` is true too where nobody has looked yet.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16)
    identity = models.CharField(max_length=600)
    name = models.CharField(max_length=200)
    public_id = models.CharField(max_length=36, default="")
    change_id = models.BigIntegerField(null=True)
    level = models.PositiveSmallIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True)
    known_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    may_cost = models.BooleanField(db_default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "kind", "identity"], name="record_span_once")]
        indexes = [
            models.Index(fields=["team", "kind", "level", "first_at"], name="record_span_time"),
            models.Index(fields=["team", "kind", "name"], name="record_span_name"),
            models.Index(
                fields=["team", "kind", "public_id"], condition=~models.Q(public_id=""), name="record_span_public"
            ),
            models.Index(fields=["team", "kind", "told_at"], name="record_span_told"),
        ]


class NamedChange(models.Model):
    """A change that some fact of an incident ever named as cause or remedy, by the id it was told."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    incident = models.CharField("identity of its record", max_length=600)
    kind = models.CharField(max_length=6)
    reference = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "incident", "kind", "reference"], name="named_change_once")
        ]
        indexes = [models.Index(fields=["team", "kind", "reference"], name="named_change_reference")]


class SpanProgress(models.Model):
    """Up to which fact of a team the spans are made, and how many facts that are.

    A team's facts are written under its lock, so their ids commit in order: none comes in below.
    """

    team = models.OneToOneField(Team, models.CASCADE, primary_key=True, related_name="+")
    fact_id = models.BigIntegerField(default=0)
    facts_count = models.PositiveBigIntegerField(default=0)
