"""Rows out: verdicts, suspects and what they rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deploys.api.fields import InstantField
from deploys.domain.instants import instant_text, parse_instant
from deploys.models import Change
from incidents.domain.reversal import reversal_words
from incidents.models import Candidate, Cause, EvidenceLine, Incident, Verdict
from incidents.queries.touched_code import TouchedCode, TouchedCommit
from incidents.queries.why import Why


class ChangeAnswer(serializers.Serializer[Change]):
    """A deploy or a flag change. `release` is null for a flag, `flag` and its shares for a deploy."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(list(Change.Kind.values))
    at = InstantField(help_text="When it began.")
    service = serializers.SerializerMethodField()
    release = serializers.SerializerMethodField()
    flag = serializers.SerializerMethodField()
    old_percent = serializers.SerializerMethodField()
    new_percent = serializers.SerializerMethodField()
    web_url = serializers.SerializerMethodField()

    def get_service(self, change: Change) -> str | None:
        """Of a deploy."""
        return change.service.name if change.service is not None else None

    def get_release(self, change: Change) -> str | None:
        """The version, where it was named."""
        return change.deploy.release.version if change.kind == "deploy" and change.deploy.release else None

    def get_flag(self, change: Change) -> str | None:
        """The flag's key."""
        return change.flag_change.flag.key if change.kind == "flag" else None

    def get_old_percent(self, change: Change) -> float | None:
        """Share of users before, where it was told."""
        return change.flag_change.old_percent if change.kind == "flag" else None

    def get_new_percent(self, change: Change) -> float | None:
        """Share of users since."""
        return change.flag_change.new_percent if change.kind == "flag" else None

    def get_web_url(self, change: Change) -> str | None:
        """The page of a deploy."""
        if change.kind != "deploy":
            return None
        return str(settings.BASE_URL) + reverse("deploy-detail", args=[self.context["team_slug"], change.public_id])


class EvidenceAnswer(serializers.Serializer[EvidenceLine]):
    """One reason. Above 1 the factor speaks for the suspect, below 1 against it; factors multiply."""

    term = serializers.CharField()
    factor = serializers.SerializerMethodField()
    log_ratio = serializers.FloatField()
    text = serializers.CharField(source="sentence")

    def get_factor(self, line: EvidenceLine) -> float:
        """How many times likelier it makes the suspect: e to the log_ratio."""
        return float(f"{math.exp(max(-20.0, min(20.0, line.log_ratio))):.3g}")


class SuspectAnswer(serializers.Serializer[Candidate]):
    """A candidate; `change` null is "no change did this"."""

    rank = serializers.IntegerField()
    probability = serializers.FloatField()
    change = ChangeAnswer(allow_null=True)
    evidence = EvidenceAnswer(many=True, source="evidence.all")


class CauseAnswer(serializers.Serializer[Cause]):
    """A link that the model suggests or somebody has decided. `kind` says what did it where no change did."""

    kind = serializers.ChoiceField(list(Cause.Kind.values))
    status = serializers.ChoiceField(list(Cause.Status.values))
    by = serializers.ChoiceField(list(Cause.By.values))
    probability = serializers.FloatField(allow_null=True)
    change = ChangeAnswer(allow_null=True)


class ReversalAnswer(serializers.Serializer[Any]):  # Any: JSON kept with a verdict
    """The errors stopped as the change was undone: rates a minute before and after, null while still being counted."""

    how = serializers.CharField()
    change = serializers.UUIDField(source="by", help_text="What undid it; the change itself where it was withdrawn.")
    at = serializers.SerializerMethodField()
    before_per_minute = serializers.SerializerMethodField()
    after_per_minute = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_at(self, told: Mapping[str, Any]) -> str:  # Any: JSON
        """When it began to be undone."""
        return instant_text(parse_instant(told["at"]))

    def get_before_per_minute(self, told: Mapping[str, Any]) -> float:  # Any: JSON
        """Errors a minute from the first failure, at most half an hour, until then."""
        return float(round(told["before_errors"] / told["before_seconds"] * 60, 4))

    def get_after_per_minute(self, told: Mapping[str, Any]) -> float | None:  # Any: JSON
        """Errors a minute in the half hour after."""
        return round(told["after_errors"] / told["after_seconds"] * 60, 4) if told.get("after_seconds") else None

    def get_text(self, told: Mapping[str, Any]) -> str:  # Any: JSON
        """The same as a sentence."""
        return reversal_words(told)


class VerdictAnswer(serializers.Serializer[Verdict]):
    """One weighing. `likely` from .9, `probable` from .5, else `undecided`; `change` null: no change did this."""

    number = serializers.IntegerField()
    computed_at = InstantField()
    because = serializers.CharField(source="trigger", help_text="What made it weigh again.")
    model = serializers.CharField(source="model_version", help_text="With `+team.4`: the team's own weights.")
    outcome = serializers.ChoiceField(list(Verdict.Outcome.values))
    probability = serializers.FloatField()
    change = ChangeAnswer(allow_null=True)
    candidates_count = serializers.IntegerField()
    missing = serializers.ListField(child=serializers.CharField(), help_text="What to send to sharpen it.")
    reversal = ReversalAnswer(allow_null=True)


class PlaceAnswer(serializers.Serializer[Any]):  # Any: a Place
    """A place of the stack; `depth` 0 is the innermost own frame."""

    path = serializers.CharField()
    function = serializers.CharField(help_text="Empty where it is not known.")
    depth = serializers.IntegerField()


class CommitAnswer(serializers.Serializer[TouchedCommit]):
    """A commit of the deploy that touches the failing code."""

    sha = serializers.CharField()
    title = serializers.CharField()
    places = PlaceAnswer(many=True)


class CodeAnswer(serializers.Serializer[TouchedCode]):
    """What the accused deploy changed of the failing code."""

    places = PlaceAnswer(many=True)
    commits = CommitAnswer(many=True)
    commits_count = serializers.IntegerField(help_text="Of the deploy.")
    told_count = serializers.IntegerField(help_text="Of which the files are known.")


class AttributionAnswer(serializers.Serializer[Why]):
    """Which change caused an incident, if any. `verdict` is null while nothing was weighed."""

    incident = serializers.SerializerMethodField()
    public_id = serializers.UUIDField(source="incident.public_id")
    web_url = serializers.SerializerMethodField()
    verdict = VerdictAnswer(allow_null=True)
    suspects = SuspectAnswer(many=True)
    causes = CauseAnswer(many=True)
    code = CodeAnswer(allow_null=True)
    history = VerdictAnswer(many=True)

    def get_incident(self, found: Why) -> str:
        """Its name, for example INC-141."""
        return found.incident.slug

    def get_web_url(self, found: Why) -> str:
        """Its page."""
        return _page(found.incident)


def _page(incident: Incident) -> str:
    return page_address(incident)


def page_address(incident: Incident, *, team_slug: str = "") -> str:
    """The whole address of its page. `team_slug`, where it is known already, spares a query."""
    slug = team_slug or incident.team.slug
    address: str = settings.BASE_URL + reverse("incident-detail", args=[slug, incident.number])
    return address
