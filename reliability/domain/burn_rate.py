"""Multi-window burn-rate rules (Google SRE Workbook, chapter 5), scaled to the length of the budget's window."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

DAY = timedelta(days=1)
CALENDAR_DAYS = {"week": 7, "month": 30, "quarter": 90}


@dataclass(frozen=True, slots=True)
class Rule:
    """Fires when the long span and the short one (a twelfth of it) both burn at the factor or faster.

    budget_share: the part of the budget that burning at the factor consumes in the long span.
    """

    name: str
    long: timedelta
    budget_share: Fraction

    @property
    def short(self) -> timedelta:
        """Ends the alert soon after the trouble ended."""
        return self.long / 12

    def factor(self, window_days: int) -> Fraction:
        """Never below 1: slower than that nothing is overspent."""
        return max(Fraction(1), self.budget_share * Fraction(window_days * DAY / self.long))

    def is_reachable(self, window_days: int, target: Fraction) -> bool:
        """Whether even a total outage could fire the rule."""
        return target < 1 and self.factor(window_days) * (1 - target) <= 1


RULES = (
    Rule("page_fast", timedelta(hours=1), Fraction(2, 100)),
    Rule("page_slow", timedelta(hours=6), Fraction(5, 100)),
    Rule("ticket_fast", timedelta(hours=24), Fraction(10, 100)),
    Rule("ticket_slow", timedelta(hours=72), Fraction(10, 100)),
)


def burn_rate(bad: Fraction, total: Fraction, target: Fraction) -> Fraction | None:
    """Spending speed as a multiple of the one that uses up the budget exactly; None without data or without budget."""
    if not total or target >= 1:
        return None
    return bad / total / (1 - target)


def is_firing(long: Fraction | None, short: Fraction | None, factor: Fraction, *, is_reachable: bool) -> bool | None:
    """None where the rule can never fire or one of the spans has no data."""
    if not is_reachable or long is None or short is None:
        return None
    return long >= factor and short >= factor
