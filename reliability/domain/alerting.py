"""When a burn-rate alert begins and ends. Begins as soon as its rule fires; ends late, so that it does not flap."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reliability.domain.burn_rate import Rule


class Step(StrEnum):
    """What one look at a rule does to its alert."""

    OPEN = "open"
    STAY = "stay"
    CLOSE = "close"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert that is open: when its rule last fired."""

    last_fired_at: datetime


def step(rule: Rule, *, is_firing: bool | None, standing: Standing | None, at: datetime) -> Step:
    """Open when the rule fires. Close once it has not fired for as long as its short span.

    Unknown (None: no data, or a rule that cannot fire any more) neither opens nor closes: silence is not recovery.
    """
    if is_firing:
        return Step.OPEN if standing is None else Step.STAY
    if standing is None:
        return Step.NOTHING
    if is_firing is None or at - standing.last_fired_at < rule.short:
        return Step.NOTHING
    return Step.CLOSE


def urgency(rule_name: str) -> str:
    """page: now; ticket: this week."""
    return rule_name.partition("_")[0]
