"""Service level objectives: budget, what is spent of it, and when it will be or was used up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from deploys.domain.instants import instant_text, seconds
from reliability.domain.burn_rate import CALENDAR_DAYS, RULES, Rule, burn_rate, is_firing
from reliability.domain.dora import Printed
from reliability.domain.history import Objective, Traffic
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.uptime import State
from reliability.domain.weeks import DAY, calendar_period


@dataclass(frozen=True, slots=True)
class Spending:
    """Bad and total of a stretch, in microseconds or in requests."""

    bad: Fraction
    total: Fraction


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget and its use at an instant, in the unit of the spending."""

    allowed: Fraction
    spending: Spending

    @property
    def remaining(self) -> Fraction:
        """Signed: a debt is negative."""
        return self.allowed - self.spending.bad


def period_of(objective: Objective, at: datetime, zone: ZoneInfo) -> Interval:
    """The rolling window that ends at the instant, or the calendar period that holds the instant just before it."""
    if objective.calendar is not None:
        return calendar_period(objective.calendar, at, zone)
    return Interval(at - (objective.window_days or 0) * DAY, at)


def window_days(objective: Objective) -> int:
    """Length of the window for burn rates; calendar periods count as 7, 30 and 90 days."""
    return CALENDAR_DAYS[objective.calendar] if objective.calendar is not None else objective.window_days or 0


def counted_traffic(known: Knowledge, objective: Objective) -> list[Traffic]:
    """Lines that measured failures and do not lie in an announced slot; for the whole those of critical services."""
    services = known.history.services
    names = [objective.service] if objective.service is not None else [n for n, s in services.items() if s.is_critical]
    excused = {name: known.excused(name) for name in names}
    return [
        line
        for line in known.history.traffic
        if line.failed is not None
        and line.service in excused
        and not any(slot.holds(line.at) for slot in excused[line.service])
    ]


class Evaluation:
    """An objective at the end of the elapsed window. Sums run up to that instant, never beyond."""

    def __init__(self, known: Knowledge, objective: Objective, window: Interval, at: datetime, zone: ZoneInfo) -> None:
        self.known, self.objective, self.window, self.at = known, objective, window, at
        self.period = period_of(objective, at, zone)
        self.is_time = objective.sli == "time"
        self.traffic: Sequence[Traffic] = [] if self.is_time else counted_traffic(known, objective)

    def spending(self, span: Interval) -> Spending:
        """Bad and total in the part of the span before the instant of evaluation."""
        span = Interval(span.start, min(span.end, self.at))
        if self.is_time:
            measure = self.known.timeline(self.objective.service).measure(span)
            return Spending(measure.downtime, Fraction(measure.observed))
        lines = [line for line in self.traffic if span.holds(line.at)]
        return Spending(Fraction(sum(line.failed or 0 for line in lines)), Fraction(sum(line.count for line in lines)))

    def budget(self, period: Interval) -> Budget:
        """The allowed share of what was observed and, for time, of what lies ahead alive and not excused."""
        spending = self.spending(period)
        total = spending.total
        if self.is_time:
            ahead = self.known.timeline(self.objective.service).measure(
                Interval(max(self.at, period.start), period.end)
            )
            total += ahead.alive - ahead.excused
        return Budget((1 - self.objective.target) * total, spending)

    def has_enough_data(self, spending: Spending) -> bool:
        """Some observed time, or the minimum of requests."""
        return spending.total > 0 and (self.is_time or spending.total >= self.objective.min_requests)

    def projected_exhaustion_at(self, budget: Budget) -> datetime | None:
        """When the budget ends at the pace of the period so far; None if it does not within a calendar period."""
        elapsed = Interval(self.period.start, self.at).length  # not 0 where something is spent
        if not self.is_time or not budget.spending.bad or budget.remaining <= 0:
            return None
        at = later(self.at, budget.remaining / (budget.spending.bad / elapsed))
        if at is None or (self.objective.calendar is not None and at >= self.period.end):
            return None
        return at

    def exhausted_at(self, budget: Budget) -> datetime | None:
        """The instant at which a calendar period's spending reached its budget; None while it has not."""
        if not self.is_time or self.objective.calendar is None:
            return None
        left = budget.allowed
        for segment, part in self.known.timeline(self.objective.service).parts(Interval(self.period.start, self.at)):
            if segment.state is State.DEGRADED:
                if segment.loss * part.length >= left:
                    return later(part.start, left / segment.loss)
                left -= segment.loss * part.length
        return None

    def alert(self, rule: Rule) -> Printed:
        """Burn rates of both spans and whether the rule fires."""
        target, days = self.objective.target, window_days(self.objective)
        long = self.spending(Interval(self.at - rule.long, self.at))
        short = self.spending(Interval(self.at - rule.short, self.at))
        long_rate = burn_rate(long.bad, long.total, target) if self.has_enough_data(long) else None
        short_rate = burn_rate(short.bad, short.total, target)
        is_reachable, factor = rule.is_reachable(days, target), rule.factor(days)
        return {
            "long_seconds": rule.long.total_seconds(),
            "short_seconds": rule.short.total_seconds(),
            "factor": float(factor),
            "reachable": is_reachable,
            "long_burn_rate": None if long_rate is None else float(long_rate),
            "short_burn_rate": None if short_rate is None else float(short_rate),
            "firing": is_firing(long_rate, short_rate, factor, is_reachable=is_reachable),
        }

    def printed(self) -> Printed:
        """The objective's part of the printed report."""
        budget, report = self.budget(self.period), self.budget(self.window)
        spent, total, objective = budget.spending.bad, budget.spending.total, self.objective
        unit = "seconds" if self.is_time else "requests"
        amount = seconds if self.is_time else float
        has_enough_data = self.has_enough_data(budget.spending)
        return {
            "service": objective.service,
            "sli": objective.sli,
            "target_ratio": float(objective.target),
            "window": objective.calendar or f"{objective.window_days}d",
            "from_at": instant_text(self.period.start),
            "to_at": instant_text(self.period.end),
            "evaluated_at": instant_text(self.at),
            "enough_data": has_enough_data,
            "sli_ratio": float(1 - spent / total) if total else None,
            f"budget_{unit}": amount(budget.allowed),
            f"spent_{unit}": amount(spent),
            f"remaining_{unit}": amount(budget.remaining),
            "spent_ratio": float(spent / budget.allowed) if budget.allowed else None,
            f"report_budget_{unit}": amount(report.allowed),
            f"report_spent_{unit}": amount(report.spending.bad),
            "met": spent <= budget.allowed if has_enough_data else None,
            "projected_exhaustion_at": _text(self.projected_exhaustion_at(budget)),
            "exhausted_at": _text(self.exhausted_at(budget)),
            "alerts": {rule.name: self.alert(rule) for rule in RULES},
        }


def later(at: datetime, length: Fraction) -> datetime | None:
    """The instant that many microseconds later, rounded; None beyond the calendar's end."""
    try:
        return at + timedelta(microseconds=round(length))
    except OverflowError:
        return None


def _text(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
