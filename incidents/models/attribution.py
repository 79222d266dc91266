"""Verdicts: what caused an incident, how sure we are, and why. History is kept."""

from __future__ import annotations

from django.db import models

from deploys.models import Change, Team, User
from incidents.models.incidents import Incident


class Verdict(models.Model):
    """One weighing of all candidates. `likely` from .9, `probable` from .5, else `undecided`."""

    class Outcome(models.TextChoices):
        LIKELY = "likely"
        PROBABLE = "probable"
        UNDECIDED = "undecided"

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="verdicts")
    number = models.PositiveIntegerField()
    computed_at = models.DateTimeField()
    model_version = models.CharField(max_length=40)
    trigger = models.CharField("why it was computed", max_length=40)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    change = models.ForeignKey(Change, models.CASCADE, null=True, related_name="+")
    probability = models.FloatField()
    candidates_count = models.PositiveIntegerField()
    inputs = models.JSONField(default=dict)
    missing = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="verdict_number_once"),
            models.CheckConstraint(
                condition=models.Q(probability__gte=0, probability__lte=1), name="verdict_probability_range"
            ),
        ]


class Candidate(models.Model):
    """One candidate of a verdict; `change` null is "no change did this"."""

    verdict = models.ForeignKey(Verdict, models.CASCADE, related_name="candidates")
    rank = models.PositiveSmallIntegerField()
    change = models.ForeignKey(Change, models.CASCADE, null=True, related_name="+")
    probability = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["verdict", "rank"], name="candidate_rank_once")]
        ordering = ["rank"]


class EvidenceLine(models.Model):
    """One reason for or against a candidate: a weighed log-likelihood ratio and its sentence."""

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="evidence")
    position = models.PositiveSmallIntegerField()
    term = models.CharField(max_length=40)
    log_ratio = models.FloatField()
    sentence = models.CharField(max_length=500)

    class Meta:
        ordering = ["position"]


class Proposal(models.Model):
    """An incident or a cause the machine proposes and a person has not answered: counts nowhere until accepted."""

    class State(models.TextChoices):
        WAITING = "waiting"
        ACCEPTED = "accepted"
        REJECTED = "rejected"

    team = models.ForeignKey(Team, models.CASCADE, related_name="proposals")
    key = models.CharField("what makes it the same proposal", max_length=200)
    payload = models.JSONField()
    verdict = models.JSONField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    incident = models.ForeignKey(Incident, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="proposal_once")]
