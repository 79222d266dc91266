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
    reversal = models.JSONField("how the errors stopped as the change was undone", null=True)

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


class VerdictTerms(models.Model):
    """The values of all terms of all candidates as a verdict weighed them (incidents.formats.frozen_terms)."""

    verdict = models.OneToOneField(Verdict, models.CASCADE, primary_key=True, related_name="terms")
    kept = models.BinaryField()


class CauseSample(models.Model):
    """What an incident teaches: the verdict that stood when a person first spoke, and what they said since.

    `named` are the public ids of the changes that did it ("" for: no change did), `refused` of those that did not. Or a
    reversal was observed (`origin`), and the verdict is the last one from while the impact went on. A cause that the
    model confirmed by itself is never one. `stated` is the likeliest candidate of that verdict, with its probability.
    """

    class Origin(models.TextChoices):
        PERSON = "person"
        REVERSAL = "reversal"

    team = models.ForeignKey(Team, models.CASCADE, related_name="cause_samples")
    incident = models.OneToOneField(Incident, models.CASCADE, related_name="cause_sample")
    origin = models.CharField(max_length=8, choices=Origin.choices)
    verdict_number = models.PositiveIntegerField()
    model_version = models.CharField(max_length=40)
    stated = models.CharField(max_length=36, default="")
    outcome = models.CharField(max_length=10, choices=Verdict.Outcome.choices)
    probability = models.FloatField()
    named = models.JSONField(default=list)
    refused = models.JSONField(default=list)
    terms = models.BinaryField()
    first_at = models.DateTimeField("when somebody first spoke")
    spoken_at = models.DateTimeField("when it was last changed")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(origin__in=["person", "reversal"]), name="sample_origin_known"),
            models.CheckConstraint(
                condition=models.Q(probability__gte=0, probability__lte=1), name="sample_probability_range"
            ),
        ]
        indexes = [models.Index(fields=["team", "-spoken_at"], name="sample_newest")]


class TeamWeights(models.Model):
    """One line of a team's log of weights; the newest line says which are in force.

    `kept`: refitted ones (`weights`, in place of the shipped ones of `base_version`); `dropped`: a refit that would not
    have judged left-out incidents better, so the shipped ones hold; `reset`: a person went back to the shipped ones, and
    what was said before is learned from no more. Losses are mean log-losses over the samples, of the shipped weights and
    of refits that had not seen the sample.
    """

    class Act(models.TextChoices):
        KEPT = "kept"
        DROPPED = "dropped"
        RESET = "reset"

    team = models.ForeignKey(Team, models.CASCADE, related_name="weights_log")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    act = models.CharField(max_length=7, choices=Act.choices)
    base_version = models.CharField(max_length=40)
    weights = models.JSONField("those that differ from the shipped ones", default=dict)
    samples_count = models.PositiveIntegerField(default=0)
    shipped_loss = models.FloatField(null=True)
    left_out_loss = models.FloatField(null=True)
    learned_until = models.DateTimeField("the newest sample it has seen", null=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "number"], name="team_weights_number_once"),
            models.CheckConstraint(
                condition=models.Q(act__in=["kept", "dropped", "reset"]), name="team_weights_act_known"
            ),
        ]


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


class UnweighedChange(models.Model):
    """A change that no incident was weighed against yet, or of which more is known since: work for the next detection.

    Written in the transaction that records the change, so it is lost with it or not at all. One change may wait twice: news
    that come while the first word is worked off must stay.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    change = models.ForeignKey(Change, models.CASCADE, related_name="+")
