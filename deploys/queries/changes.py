"""Lists of deploys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from deploys.domain.instants import NotAnInstant, parse_instant
from deploys.models import CommitDeploy, Deploy, Policy, Team
from deploys.queries.prepared import Prepared

KINDS: Final = ("forward", "hotfix", "rollback", "redeploy")
OUTCOMES: Final = ("succeeded", "failed", "aborted", "running", "never_finished")


_policy: Final = Prepared(lambda team: Policy.objects.filter(team=team).values("deploy_timeout_seconds"), team=-101)
LONGEST: Final = 250
"""Characters of a search that are read; names are no longer."""


@dataclass(frozen=True, slots=True)
class DeployFilter:
    """What a list of deploys is narrowed to; an empty text asks for nothing. `errors` say what was not understood."""

    service: str = ""
    environment: str = ""
    kind: str = ""
    outcome: str = ""
    release: str = ""
    text: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, query: Mapping[str, str]) -> DeployFilter:
        """The filter that a query string states: service, environment, kind, outcome, release, text, from, to."""
        errors: dict[str, str] = {}
        words = ("service", "environment", "release", "text")
        texts = {name: str(query.get(name, "")).replace("\x00", "").strip()[:LONGEST] for name in words}
        for name, known in (("kind", KINDS), ("outcome", OUTCOMES)):
            texts[name] = query.get(name, "")
            if texts[name] and texts[name] not in known:
                errors[name] = f"expected {', '.join(known[:-1])} or {known[-1]}"
                texts[name] = ""
        ends: dict[str, dt.datetime | None] = {"from": None, "to": None}
        for name in ends:
            if said := query.get(name, ""):
                try:
                    ends[name] = parse_instant(f"{said}T00:00:00Z" if len(said) == 10 else said)
                except NotAnInstant:
                    errors[name] = "expected a date (2026-03-03) or a time with offset"
        return cls(**texts, start=ends["from"], end=ends["to"], errors=errors)

    @property
    def is_narrow(self) -> bool:
        """Whether anything is asked for."""
        return any(
            (self.service, self.environment, self.kind, self.outcome, self.release, self.text, self.start, self.end)
        )


def deploys_of(team: Team, wanted: DeployFilter, *, now: dt.datetime) -> QuerySet[Deploy, Deploy]:
    """The team's deploys that fit, in no order, with what a line of a list shows."""
    rows = Deploy.objects.filter(team=team).select_related("change", "service", "environment", "release", "artifact")
    exact = {
        "service__name": wanted.service,
        "environment__name__iexact": wanted.environment,
        "kind_listed": wanted.kind,
        "release__version": wanted.release,
        "started_at__gte": wanted.start,
        "started_at__lt": wanted.end,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if wanted.text:
        rows = rows.filter(_says(wanted.text))
    if wanted.outcome in {"running", "never_finished"}:
        oldest = now - deploy_timeout(team)
        late = Q(started_at__lt=oldest) if wanted.outcome == "never_finished" else Q(started_at__gte=oldest)
        return rows.filter(late, outcome_listed__in=["running", "never_finished"])
    return rows.filter(outcome_listed=wanted.outcome) if wanted.outcome else rows


def _says(text: str) -> Q:
    """The text stands in the name of the release, the run or the service, in what was said with it, or in a commit."""
    commits = CommitDeploy.objects.filter(
        Q(commit__title__icontains=text) | Q(commit__sha__istartswith=text), deploy=OuterRef("pk")
    )
    return (
        Q(release__version__icontains=text)
        | Q(external_id__icontains=text)
        | Q(service__name__icontains=text)
        | Q(description__icontains=text)
        | Q(Exists(commits))
    )


def deploy_timeout(team: Team) -> dt.timedelta:
    """How long a deploy may go without a final status before it counts as never finished. One query."""
    rows = _policy(team=team.pk)
    return dt.timedelta(seconds=rows[0]["deploy_timeout_seconds"] if rows else 86_400)
