"""Releases: by name over services, newest first, and the one before."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet
from django.utils.text import slugify

from deploys.models import Commit, Deploy, Release, ReleaseCommit, Service, Team


def releases_of(
    team: Team, *, version: str | None = None, service: Service | None = None
) -> QuerySet[Release, Release]:
    """The team's releases, newest first: one version of each service that has it, those of one service, or all."""
    rows = Release.objects.filter(service__team=team).select_related("service").order_by("-created_at", "-pk")
    if version is not None:
        rows = rows.filter(version=version)
    return rows.filter(service=service) if service is not None else rows


def service_by_slug(team: Team, slug: str) -> Service | None:
    """The service of this name, else one whose name makes this slug. One query, or two."""
    exact = team.services.filter(name=slug).first()
    if exact is not None:
        return exact
    return next((each for each in team.services.order_by("pk") if slugify(each.name) == slug), None)


def counts_of(releases: Sequence[Release]) -> dict[int, tuple[int, int]]:
    """Commits and deploys of each of these releases. Two queries."""
    keys = [release.pk for release in releases]
    commits = Release.objects.filter(pk__in=keys).annotate(n=Count("commit_links")).values_list("pk", "n")
    deploys = dict(Release.objects.filter(pk__in=keys).annotate(n=Count("deploys")).values_list("pk", "n"))
    return {pk: (count, deploys[pk]) for pk, count in commits}


def previous_with_commits(team: Team, version: str) -> Release | None:
    """The newest other release with commits, made before this one, of the same services; of any where it is new."""
    own = list(releases_of(team, version=version))
    rows = releases_of(team).exclude(version=version).exclude(head_sha="")
    if own:
        newest = max(release.created_at for release in own)
        rows = rows.filter(Q(created_at__lt=newest), service__in=[release.service for release in own])
    return rows.first()


def commits_of(releases: Sequence[Release]) -> QuerySet[Commit, Commit]:
    """Commits of these releases, newest first."""
    keys = [release.pk for release in releases]
    rows = Commit.objects.filter(pk__in=ReleaseCommit.objects.filter(release__in=keys).values("commit"))
    return rows.order_by("-committed_at", "sha")


def deploys_of_releases(releases: Sequence[Release]) -> QuerySet[Deploy, Deploy]:
    """Deploys of these releases, started last first."""
    rows = Deploy.objects.filter(release__in=[release.pk for release in releases])
    return rows.select_related("change", "environment", "service").order_by("-started_at", "-pk")
