"""What the rules of a flag come to in one environment, for judging whether the flag is still needed (FLAGS E1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from deploys.domain.flag_exposure import exposure
from deploys.domain.flag_rules import FlagKind, Rules, Stage


@dataclass(frozen=True, slots=True)
class Reach:
    """`constant`: the only variant anybody can get; None where it depends on the user, or on another flag."""

    constant: str | None
    is_reached: bool
    is_complete: bool
    percent: float


def reach(rules: Rules, off: str, kind: FlagKind, at: datetime) -> Reach:
    """Who gets what at an instant. A flag with prerequisites is constant only where it is off for everybody.

    Complete is a migration on its last stage, and any other flag whose one variant is not the off one.
    """
    percent = exposure(rules, off, at).percent
    if not rules.is_on or rules.killed_at(at) is not None:
        return Reach(off, is_reached=False, is_complete=False, percent=percent)
    serves = [*(rule.serve for rule in rules.rules), rules.default_at(at)]
    reached = {variant for serve in serves for variant in serve.variants} | set(rules.targets.values())
    if rules.prerequisites:
        reached.add(off)
    constant = next(iter(reached)) if len(reached) == 1 else None
    is_last = constant == Stage.COMPLETE if kind is FlagKind.MIGRATION else constant not in {None, off}
    return Reach(constant, is_reached=reached != {off}, is_complete=is_last, percent=percent)
