"""What is deployed: versions, immutable builds, commits."""

from __future__ import annotations

from django.db import models

from deploys.models.catalog import Service, Team


class Release(models.Model):
    """A version of a service, by the name its builder gives it.

    `files` are the paths its commits touched; null while nobody has said. `head_sha` is the newest of them.
    """

    service = models.ForeignKey(Service, models.CASCADE, related_name="releases")
    version = models.CharField(max_length=250)
    created_at = models.DateTimeField()
    released_at = models.DateTimeField("when its builder declared it finished", null=True)
    archived_at = models.DateTimeField(null=True)
    url = models.URLField(max_length=500, default="")
    head_sha = models.CharField(max_length=100, default="")
    files = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "version"], name="release_once")]

    def __str__(self) -> str:
        return self.version


class Artifact(models.Model):
    """An immutable build, by digest."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="artifacts")
    digest = models.CharField(max_length=250)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "digest"], name="artifact_once")]


class Commit(models.Model):
    """A commit; facts of kind `change` fold into it."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="commits")
    sha = models.CharField(max_length=100)
    committed_at = models.DateTimeField(null=True)
    author = models.CharField(max_length=200, default="")
    title = models.CharField(max_length=500, default="")
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="+")
    deploys = models.ManyToManyField("deploys.Deploy", through="deploys.CommitDeploy", related_name="commits")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "sha"], name="commit_once")]


class CommitDeploy(models.Model):
    """A commit was in a deploy. `reference` is what the fact called it; `deploy` is null until that deploy is known."""

    commit = models.ForeignKey(Commit, models.CASCADE, related_name="deploy_links")
    deploy = models.ForeignKey("deploys.Deploy", models.CASCADE, null=True, related_name="commit_links")
    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    reference = models.CharField(max_length=200)

    class Meta:
        indexes = [
            models.Index(fields=["team", "reference"], condition=models.Q(deploy__isnull=True), name="commit_waits_for")
        ]
        constraints = [models.UniqueConstraint(fields=["commit", "reference"], name="commit_deploy_once")]


class ReleaseCommit(models.Model):
    """A commit is part of a release: every deploy of the release contains it."""

    release = models.ForeignKey(Release, models.CASCADE, related_name="commit_links")
    commit = models.ForeignKey(Commit, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "commit"], name="release_commit_once")]


class Push(models.Model):
    """A branch moved: evidence from which the commits of a deploy are worked out. `before_sha` is empty for a new branch."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="pushes")
    repository = models.CharField(max_length=200)
    ref = models.CharField(max_length=250, default="")
    is_default_branch = models.BooleanField(default=False)
    before_sha = models.CharField(max_length=64, default="")
    after_sha = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    is_truncated = models.BooleanField("its sender named only the newest commits", default=False, db_default=False)

    class Meta:
        indexes = [
            models.Index(fields=["team", "before_sha"], name="push_before"),
            models.Index(fields=["received_at"], name="push_age"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["team", "after_sha", "before_sha", "repository", "ref"], name="push_once")
        ]


class PushedCommit(models.Model):
    """A commit inside a push; `position` counts from the oldest. `files` are the paths it touched, as far as said."""

    push = models.ForeignKey(Push, models.CASCADE, related_name="commits")
    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    sha = models.CharField(max_length=64)
    position = models.PositiveIntegerField()
    files = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["team", "sha"], name="pushed_commit")]
        constraints = [models.UniqueConstraint(fields=["push", "position"], name="pushed_commit_place")]
