"""What this room's addresses answer, for the API document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from reliability.actions.objectives import LONGEST_POLICY


class MetricsAnswer(serializers.Serializer[Any]):  # Any: a printed report
    """The contract `metrics/1` that `manage.py metrics` prints; its parts are described in docs/metrics.md."""

    contract = serializers.CharField()
    window = serializers.DictField()
    policy = serializers.DictField()
    services = serializers.DictField()
    total = serializers.DictField()
    objectives = serializers.DictField()
    flags = serializers.DictField()
    weeks = serializers.ListField(child=serializers.DictField())


class ReportLine(serializers.Serializer[Any]):  # Any: a snapshot
    """One closed report as it stands."""

    label = serializers.CharField(help_text="2026-W13, 2026-03 or 2026-Q1.")  # type: ignore[assignment]  # a key of the answer, not the label of this field
    number = serializers.IntegerField(help_text="1 when it was closed, one more for each restatement.")
    from_at = serializers.DateTimeField()
    to_at = serializers.DateTimeField()
    zone = serializers.CharField()
    as_of_at = serializers.DateTimeField()
    reason = serializers.CharField(help_text="Why it was restated.", allow_blank=True)


class ReportList(serializers.Serializer[Any]):  # Any: as above
    """Snapshots, the newest first."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ReportLine(many=True)


class ReportAnswer(ReportLine):
    """A closed report with its numbers."""

    word = serializers.CharField(help_text="met, at risk, missed or not judged.")
    difference = serializers.ListField(
        child=serializers.DictField(), help_text="What differs from the snapshot before, by path."
    )
    result = MetricsAnswer()
    beside = serializers.DictField(help_text="How incidents were ended, and lead times by class.")


class ObjectiveList(serializers.Serializer[Any]):  # Any: printed objectives
    """Objectives by id, evaluated now."""

    evaluated_at = serializers.DateTimeField()
    objectives = serializers.DictField(child=serializers.DictField())


class ObjectiveMessage(serializers.Serializer[Any]):  # Any: no row behind it
    """An objective in the words of the history format."""

    id = serializers.CharField(max_length=200)
    service = serializers.CharField(max_length=200, required=False, allow_null=True, help_text="null: the whole.")
    sli = serializers.ChoiceField(["time", "requests"], required=False)
    target = serializers.FloatField(min_value=0, max_value=1)
    window_days = serializers.ChoiceField([7, 28, 30, 90], required=False, allow_null=True)
    calendar = serializers.ChoiceField(["week", "month", "quarter"], required=False, allow_null=True)
    min_requests = serializers.IntegerField(min_value=0, max_value=2_000_000_000, required=False)
    budget_policy = serializers.CharField(
        max_length=LONGEST_POLICY,
        required=False,
        allow_blank=True,
        help_text="What the team does when the budget is spent.",
    )


class ObjectiveWritten(serializers.Serializer[Any]):  # Any: a printed objective
    """What was set, and what cannot fire."""

    id = serializers.CharField()
    unreachable_rules = serializers.ListField(child=serializers.CharField())
    objective = serializers.DictField()
