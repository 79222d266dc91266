"""Pictures of time: how a budget was spent step by step, and how bad each day was."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from deploys.domain.instants import seconds
from reliability.domain.history import IMPACT_CLASSES
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.slo import Evaluation
from reliability.domain.weeks import DAY, local_date, midnight


@dataclass(frozen=True, slots=True)
class BudgetStep:
    """A stretch of downtime: what it spent (weighted by the degradation), and what was left of the budget after it."""

    start: datetime
    end: datetime
    incident_ids: tuple[str, ...]
    spent_seconds: float
    remaining_seconds: float


def budget_steps(evaluation: Evaluation) -> list[BudgetStep]:
    """The spending of a time objective in its period up to the evaluation, in order; none for requests."""
    if not evaluation.is_time:
        return []
    left = evaluation.budget(evaluation.period).allowed
    timeline = evaluation.known.timeline(evaluation.objective.service)
    steps: list[BudgetStep] = []
    for segment, part in timeline.parts(Interval(evaluation.period.start, evaluation.at)):
        if segment.loss:
            spent = segment.loss * part.length
            left -= spent
            steps.append(BudgetStep(part.start, part.end, segment.owners, seconds(spent), seconds(Fraction(left))))
    return steps


def worst_classes(known: Knowledge, service: str | None, zone: ZoneInfo, days: int) -> list[str | None]:
    """The worst impact class that went on during each local day up to the as-of instant, oldest first."""
    as_of = known.history.as_of
    today = local_date(as_of, zone)
    dates = [today - DAY * back for back in range(days - 1, -1, -1)]
    spans = [Interval(midnight(day, zone), midnight(day + DAY, zone)) for day in dates]
    cases = [
        (Interval(case.incident.begin_at, case.incident.restored_at or as_of), case.incident.impact_class)
        for case in known.incidents_of.get(service, [])
    ]
    return [_worst(name for life, name in cases if life.start < day.end and life.end > day.start) for day in spans]


def _worst(names: Iterable[str]) -> str | None:
    return min(names, key=IMPACT_CLASSES.index, default=None)
