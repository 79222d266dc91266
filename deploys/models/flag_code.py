"""Where code asks for flags: what the scanner last found in each repository, and what stood there before."""

from __future__ import annotations

from django.db import models

from deploys.models.catalog import Service, Team


class FlagRepository(models.Model):
    """A repository that is scanned, and its newest scan. `dynamic`: places that put a key together while they run.

    `link` is where a line can be read, with {commit}, {path} and {line} to be filled in.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="flag_repositories")
    name = models.CharField(max_length=200)
    services = models.ManyToManyField(Service, related_name="+")
    branch = models.CharField(max_length=250, default="")
    commit_sha = models.CharField(max_length=100, default="")
    scanned_at = models.DateTimeField()
    received_at = models.DateTimeField()
    scanner = models.CharField("version of the scanner", max_length=40, default="")
    files_count = models.PositiveIntegerField(default=0)
    is_complete = models.BooleanField("every file was read, and every place sent")
    link = models.CharField(max_length=500, default="")
    dynamic = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="flag_repository_once")]

    def __str__(self) -> str:
        return self.name


class FlagScan(models.Model):
    """One complete look at one commit: a later proof names the commits in which a key was found gone."""

    repository = models.ForeignKey(FlagRepository, models.CASCADE, related_name="scans")
    commit_sha = models.CharField(max_length=100)
    scanned_at = models.DateTimeField()
    is_complete = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "commit_sha"], name="flag_scan_once")]
        indexes = [models.Index(fields=["repository", "scanned_at"], name="flag_scan_time")]


class FlagReference(models.Model):
    """A place of the newest scan at which a flag's key stands. No source text is kept."""

    class Kind(models.TextChoices):
        CALL = "call"
        CONSTANT = "constant"
        CONFIG = "config", "configuration"
        TEST = "test"
        DOC = "doc", "words"

    repository = models.ForeignKey(FlagRepository, models.CASCADE, related_name="references")
    key = models.CharField(max_length=200)
    path = models.CharField(max_length=1000)
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)

    class Meta:
        indexes = [models.Index(fields=["repository", "key"], name="flag_reference_key")]


class FlagTrace(models.Model):
    """That a repository's code ever asked for a key, and, once it no longer does, which commit took it out.

    `paths` are where it stood last. `gone_scanned_at` is the first complete scan without it; `gone_commit` is empty where
    the history the scanner had did not reach so far.
    """

    repository = models.ForeignKey(FlagRepository, models.CASCADE, related_name="traces")
    key = models.CharField(max_length=200)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    paths = models.JSONField(default=list)
    gone_scanned_at = models.DateTimeField(null=True)
    gone_commit = models.CharField(max_length=100, default="")
    gone_committed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "key"], name="flag_trace_once"),
            models.CheckConstraint(
                condition=models.Q(gone_scanned_at__isnull=False) | models.Q(gone_commit=""),
                name="flag_trace_gone_by_scan",
            ),
        ]
        indexes = [models.Index(fields=["key"], name="flag_trace_key")]
