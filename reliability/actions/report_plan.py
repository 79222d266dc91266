"""Which periods a team's reports cover, and when they are closed. What is closed already stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

from deploys.models import Team
from reliability.domain.periods import PeriodKind
from reliability.models import ReportPlan


def plan_of(team: Team) -> ReportPlan:
    """The plan that holds: the team's own, else the usual one. One query."""
    return ReportPlan.objects.filter(team=team).first() or ReportPlan(team=team)


def plan_reports(*, team: Team, kinds: Sequence[str], closes_at_hour: int) -> None:
    """From now on closes the periods of these kinds, at this hour of the first day after, in the team's zone."""
    kept = [str(kind) for kind in PeriodKind if kind in kinds]
    ReportPlan.objects.update_or_create(team=team, defaults={"kinds": kept, "closes_at_hour": closes_at_hour})
