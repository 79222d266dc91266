"""Messages in and rows out, key by key as the history format has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from deploys.api.fields import AddressField, CommitsField, InstantField, NameField, NumberField, TextField
from deploys.domain.changes import DeployReport, FlagReport
from deploys.domain.commits import CommitReport, files_of
from deploys.domain.instants import instant_text
from deploys.models import Deploy

STATUSES = ["in_progress", "success", "failure"]
KINDS = ["forward", "rollback", "redeploy", "hotfix"]


class DeployMessage(serializers.Serializer[Any]):  # Any: no row behind it
    """One message about one deploy. Start, steps and end may come in any order and number; null takes a value back."""

    id = NameField(max_length=200, help_text="The deploy's id, unique per service; the same in every message.")
    service = NameField(max_length=200, help_text="Name of the service.")
    environment = NameField(max_length=100, required=False, help_text="Default: production.")
    status = serializers.ChoiceField(STATUSES, required=False, help_text="Default: in_progress.")
    started_at = InstantField(required=False, help_text="Default: when the first message is received.")
    finished_at = InstantField(
        required=False, allow_null=True, help_text="Default, with a final status: when it is received."
    )
    live_at = InstantField(required=False, allow_null=True, help_text="First production traffic, if known.")
    release = NameField(max_length=250, required=False, allow_null=True, help_text="Name of the version.")
    artifact = NameField(max_length=250, required=False, allow_null=True, help_text="Immutable digest of the build.")
    kind = serializers.ChoiceField(
        KINDS, required=False, allow_null=True, help_text="If you know; otherwise it is derived."
    )
    strategy = NameField(
        max_length=40,
        required=False,
        allow_null=True,
        help_text="rolling, canary, …; config and migration for changes that are no new version.",
    )
    percent = NumberField(
        min_value=0, max_value=100, required=False, allow_null=True, help_text="Share of traffic at this step."
    )
    files = serializers.ListField(
        child=NameField(max_length=1000), max_length=5000, required=False, allow_null=True, help_text="Changed files."
    )
    description = TextField(max_length=20_000, required=False, allow_null=True, allow_blank=True)
    url = AddressField(required=False, allow_null=True, help_text="Page of the pipeline run.")
    commit = NameField(
        max_length=100,
        required=False,
        help_text="The commit that was built; kept with the release, and what was pushed up to it is listed.",
    )
    commits = CommitsField(
        required=False, help_text="What the deploy contains beside what is known already, newest first."
    )
    delivery_id = NameField(max_length=200, required=False, help_text="A message with an id seen before is ignored.")

    def report(self) -> DeployReport:
        """The message as the action takes it."""
        return report_of(self.validated_data)

    @property
    def commits_said(self) -> list[CommitReport]:
        """The commits of the message."""
        found: list[CommitReport] = self.validated_data.get("commits", [])
        return found


def report_of(values: Mapping[str, Any]) -> DeployReport:  # Any: checked values
    """What the checked values of a message say. Changed files nobody names are those of the commits."""
    said = {key: value for key, value in values.items() if key != "commits"}
    if "files" not in said and (files := files_of(values.get("commits", ()))):
        said["files"] = files
    return DeployReport(**_said(said))


class FlagMessage(serializers.Serializer[Any]):  # Any: no row behind it
    """A flag's change (with `id`), its description, or both."""

    key = NameField(max_length=200, help_text="The flag.")
    environment = NameField(max_length=100, required=False, help_text="Default: production.")
    id = NameField(max_length=200, required=False, help_text="The change's id.")
    at = InstantField(required=False, help_text="When it was changed. Default: when it is received.")
    new_percent = NumberField(min_value=0, max_value=100, required=False, help_text="Share of users that see it now.")
    old_percent = NumberField(min_value=0, max_value=100, required=False, allow_null=True)
    segment = serializers.DictField(required=False, allow_null=True, help_text="Only these users.")
    services = serializers.ListField(child=NameField(max_length=200), max_length=100, required=False, allow_null=True)
    created_at = InstantField(required=False, allow_null=True)
    owner = NameField(max_length=200, required=False, allow_null=True)
    kind = serializers.ChoiceField(["temporary", "permanent"], required=False, allow_null=True)
    expires_at = InstantField(required=False, allow_null=True)
    last_evaluated_at = InstantField(required=False, allow_null=True, help_text="null: known to be never evaluated.")
    code_references = serializers.IntegerField(min_value=0, max_value=2_000_000_000, required=False, allow_null=True)
    archived_at = InstantField(required=False, allow_null=True)
    delivery_id = NameField(max_length=200, required=False, help_text="A message with an id seen before is ignored.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:  # Any: checked values
        """Keys of a change need its id."""
        lonely = [key for key in ("at", "new_percent", "old_percent", "segment", "services") if key in attrs]
        if lonely and "id" not in attrs:
            raise serializers.ValidationError(
                {"id": [f"missing: {', '.join(lonely)} belong to a change, which has an id"]}
            )
        return attrs

    def report(self) -> FlagReport:
        """The message as the action takes it."""
        return FlagReport(**_said(self.validated_data))


def _said(data: Mapping[str, Any]) -> dict[str, Any]:  # Any: checked values
    """Arguments of a report: lists as tuples, nulls as withdrawn keys."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    values.pop("delivery_id", None)
    withdrawn = frozenset(key for key, value in values.items() if value is None)
    return {**{key: value for key, value in values.items() if value is not None}, "withdrawn": withdrawn}


class DeployAnswer(serializers.Serializer[Deploy]):
    """A deploy as it stands."""

    id = serializers.CharField(source="external_id")
    public_id = serializers.UUIDField(source="change.public_id")
    service = serializers.CharField(source="service.name")
    environment = serializers.CharField(source="environment.name")
    status = serializers.ChoiceField(STATUSES)
    started_at = InstantField()
    finished_at = InstantField(allow_null=True)
    live_at = InstantField(allow_null=True)
    release = serializers.CharField(source="release.version", default=None, allow_null=True)
    artifact = serializers.CharField(source="artifact.digest", default=None, allow_null=True)
    kind = serializers.CharField(
        read_only=True, allow_null=True, help_text="Stated, or derived; null while it is not known."
    )
    outcome = serializers.CharField(
        read_only=True, allow_null=True, help_text="succeeded, failed, aborted, running or never_finished."
    )
    strategy = serializers.CharField(read_only=True, allow_null=True, help_text="As stated.")
    percent = serializers.FloatField(allow_null=True)
    commit = serializers.CharField(read_only=True, allow_null=True, help_text="Hash of the newest commit in it.")
    files = serializers.ListField(child=serializers.CharField(), allow_null=True)
    description = serializers.CharField()
    url = serializers.CharField()
    web_url = serializers.CharField(read_only=True, help_text="Its page.")

    def to_representation(self, instance: Deploy) -> dict[str, Any]:  # Any: JSON
        """The fields above say what stands in the document of the API, and this fills them."""
        return deploy_words(instance)


def deploy_words(deploy: Deploy) -> dict[str, Any]:  # Any: JSON
    """A deploy as it stands, as `DeployAnswer` documents it; its neighbours in the tables were read with it."""
    return {
        "id": deploy.external_id,
        "public_id": str(deploy.change.public_id),
        "service": deploy.service.name,
        "environment": deploy.environment.name,
        "status": deploy.status,
        "started_at": instant_text(deploy.started_at),
        "finished_at": instant_text(deploy.finished_at) if deploy.finished_at is not None else None,
        "live_at": instant_text(deploy.live_at) if deploy.live_at is not None else None,
        "release": deploy.release.version if deploy.release is not None else None,
        "artifact": deploy.artifact.digest if deploy.artifact is not None else None,
        "kind": deploy.kind_listed or deploy.kind_stated or None,
        "outcome": deploy.outcome_listed or None,
        "strategy": deploy.strategy or None,
        "percent": deploy.percent,
        "commit": deploy.commit_sha or None,
        "files": deploy.files,
        "description": deploy.description,
        "url": deploy.url,
        "web_url": settings.BASE_URL + reverse("deploy-detail", args=[deploy.team.slug, deploy.change.public_id]),
    }


class DeployWritten(DeployAnswer):
    """The deploy a message was about, and what in the message was ignored."""

    warnings = serializers.ListField(child=serializers.CharField(), required=False)


class DeployList(serializers.Serializer[Any]):  # Any: a page
    """One page of deploys, newest first. `next` and `previous` are addresses, or null."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = DeployAnswer(many=True)


class LiveAnswer(serializers.Serializer[Any]):  # Any: a deploy, or none
    """What serves users of a service in an environment, as far as known; nulls where nothing does."""

    service = serializers.CharField()
    environment = serializers.CharField()
    release = serializers.CharField(allow_null=True)
    artifact = serializers.CharField(allow_null=True)
    commit = serializers.CharField(allow_null=True, help_text="The commit that was built, where it is known.")
    public_id = serializers.UUIDField(allow_null=True, help_text="Of the deploy.")


class FlagAnswer(serializers.Serializer[Any]):  # Any: a RecordedFlag
    """The flag, and the change if the message was one."""

    key = serializers.CharField()
    environment = serializers.CharField()
    id = serializers.CharField(allow_null=True)
    public_id = serializers.UUIDField(allow_null=True)
    at = InstantField(allow_null=True)
    new_percent = serializers.FloatField(allow_null=True)
    warnings = serializers.ListField(child=serializers.CharField())


class ProblemAnswer(serializers.Serializer[Any]):  # Any: a problem
    """RFC 9457 problem details."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.ListField(  # type: ignore[assignment]  # the metaclass takes fields off the class
        child=serializers.DictField(child=serializers.CharField()), required=False
    )
