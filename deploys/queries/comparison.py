"""What lies between two deploys of a service: commits, files, flag changes, and the deploys on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deploys.domain.schema_changes import SchemaChanges, schema_changes_of
from deploys.models import Commit, Deploy, FlagChange
from deploys.queries.flags import flag_changes_between

MOST_COMMITS: Final = 500
MOST_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Comparison:
    """From `base` (not contained) to `head` (contained), in the order of their starts. `is_back`: the head is the earlier.

    `steps` are the deploys after the earlier one up to the later one, last first; what they brought is what the two
    versions differ by. `unknown_count` of them named neither commits nor files, and put a version live that was not before. `ends_at` is when the later one was
    replaced; now, if it was not.
    """

    base: Deploy
    head: Deploy
    steps: Sequence[Deploy]
    commits: Sequence[Commit]
    files: Sequence[str]
    schema: SchemaChanges
    flag_changes: Sequence[FlagChange]
    unknown_count: int
    is_back: bool
    ends_at: dt.datetime

    @property
    def first(self) -> Deploy:
        """The earlier of the two."""
        return self.head if self.is_back else self.base

    @property
    def last(self) -> Deploy:
        """The later of the two."""
        return self.base if self.is_back else self.head


def compare(base: Deploy, head: Deploy, *, now: dt.datetime) -> Comparison:
    """Compares two deploys of one service. Only succeeded deploys of the head's environment lie between. Five queries."""
    is_back = (head.started_at, head.pk) < (base.started_at, base.pk)
    first, last = (head, base) if is_back else (base, head)
    rows = Deploy.objects.select_related("change", "release", "environment").filter(
        service=head.service_id, environment=head.environment_id, outcome_listed="succeeded"
    )
    next_at = rows.filter(started_at__gt=last.started_at).order_by("started_at").values_list("started_at", flat=True)
    inside = rows.filter(started_at__gte=first.started_at, started_at__lte=last.started_at)
    between = [row for row in inside.order_by("-started_at", "-pk")[:MOST_STEPS] if row.pk not in {first.pk, last.pk}]
    steps = [last, *between] if first.pk != last.pk else []
    commits = Commit.objects.filter(deploy_links__deploy__in=[step.pk for step in steps]).distinct()
    found = list(commits.order_by("-committed_at", "sha")[:MOST_COMMITS])
    with_commits = set(
        Commit.deploys.through.objects.filter(deploy__in=[step.pk for step in steps]).values_list("deploy", flat=True)
    )
    files = sorted({str(path) for step in steps for path in step.files or ()})
    return Comparison(
        base=base,
        head=head,
        steps=steps,
        commits=found,
        files=files,
        schema=schema_changes_of(files),
        flag_changes=flag_changes_between(
            service=head.service,
            environment_id=head.environment_id,
            since=first.started_at,
            until=min(last.started_at, now),
        ),
        unknown_count=sum(
            step.files is None and step.pk not in with_commits and step.kind_listed not in {"rollback", "redeploy"}
            for step in steps
        ),
        is_back=is_back,
        ends_at=next_at.first() or now,
    )
