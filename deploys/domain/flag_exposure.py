"""How much of the users a flag reaches, as the history counts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploys.domain.bucketing import WHOLE, percent_of
from deploys.domain.flag_documents import condition_document
from deploys.domain.flag_rules import Rules, Serve


@dataclass(frozen=True, slots=True)
class Exposure:
    """Per cent of users that get something other than the off variant, and which users; None: any."""

    percent: float
    segment: dict[str, Any] | None = None  # Any: JSON


def exposure(rules: Rules, off: str, at: datetime) -> Exposure:
    """What the rules mean in the history's words.

    100 % without segment only where every user gets one and the same variant; 0 % only where every user gets the off
    variant: both are what staleness is judged by, so anything less is told with its segment.
    """
    if not rules.is_on or rules.killed_at(at) is not None:
        return Exposure(0)
    default = rules.default_at(at)
    serves = [*(rule.serve for rule in rules.rules), default]
    reached = {variant for serve in serves for variant in serve.variants} | set(rules.targets.values())
    if reached <= {off}:
        return Exposure(0)
    segment: dict[str, Any] = {}
    if rules.prerequisites:
        segment["prerequisites"] = [key for key, _ in rules.prerequisites]
    if len(reached) == 1:
        return Exposure(100, segment or None)
    if rules.targets:
        segment["targets"] = len(rules.targets)
    if rules.rules:
        segment["rules"] = [
            {
                "percent": percent_of(_reached(rule.serve, off)),
                **({"segments": list(rule.segments)} if rule.segments else {}),
                **({"conditions": [condition_document(each) for each in rule.conditions]} if rule.conditions else {}),
            }
            for rule in rules.rules
        ]
    shares = [_reached(serve, off) for serve in serves]
    everybody = shares[-1]
    if len(set(default.variants) - {off}) > 1:
        segment["split"] = {name: percent_of(weight) for name, weight in default.split}
    # somebody is reached: a target alone is less than any percentage one could name
    percent = percent_of(everybody or max(shares)) or 0.001
    return Exposure(percent, segment or None)


def _reached(serve: Serve, off: str) -> int:
    """Share of those served so that get something other than the off variant."""
    inside = sum(weight for variant, weight in serve.split if variant != off)
    outside = WHOLE - serve.percent if serve.rest is not None and serve.rest != off else 0
    return inside * serve.percent // WHOLE + outside
