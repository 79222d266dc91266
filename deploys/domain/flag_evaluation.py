"""The answer to "which value does this user get?", as OpenFeature means it: value, variant, reason. Pure and without state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from deploys.domain.bucketing import WHOLE, bucket
from deploys.domain.flag_conditions import Context, Scalar
from deploys.domain.flag_rules import FlagKind, Rule, Ruleset, Serve, ServedFlag, Value, unit_of

#: How long a chain of prerequisites may be.
DEEPEST: Final = 3


class Reason(StrEnum):
    """Why the value was chosen (OpenFeature specification, section 1.7; only those that every client knows)."""

    STATIC = "STATIC"
    SPLIT = "SPLIT"
    TARGETING_MATCH = "TARGETING_MATCH"
    DISABLED = "DISABLED"


class ErrorCode(StrEnum):
    """Why there is no value (OFREP 0.3.0)."""

    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"
    TARGETING_KEY_MISSING = "TARGETING_KEY_MISSING"
    INVALID_CONTEXT = "INVALID_CONTEXT"
    PARSE_ERROR = "PARSE_ERROR"
    GENERAL = "GENERAL"


class Unanswerable(Exception):
    """There is no value; `code` says why, the message says it in words."""

    def __init__(self, code: ErrorCode, details: str) -> None:
        super().__init__(details)
        self.code = code


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A value with where it comes from. `metadata` has texts, numbers and booleans only, as the protocol wants."""

    key: str
    variant: str
    value: Value
    reason: Reason
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


def evaluate(ruleset: Ruleset, key: str, context: Context, at: datetime) -> Evaluation:
    """What the flag serves to this context at this instant.

    In this order: killed, not on, a prerequisite that does not hold (each: the off variant, DISABLED), individual targets
    (TARGETING_MATCH), the first rule that fits (TARGETING_MATCH, or SPLIT where it draws), the default (STATIC or SPLIT).
    Unanswerable where there is no such flag, or where a user must be drawn and the context does not name them.
    """
    return _evaluate(ruleset, key, context, at, DEEPEST)


def _evaluate(ruleset: Ruleset, key: str, context: Context, at: datetime, deeper: int) -> Evaluation:
    flag = ruleset.flags.get(key)
    if flag is None:
        raise Unanswerable(ErrorCode.FLAG_NOT_FOUND, f"there is no flag {key} here")
    rules = flag.rules
    if rules.killed_at(at) is not None:
        return _off(flag, {"killSwitch": True})
    if not rules.is_on:
        return _off(flag, {})
    for needed, variant in rules.prerequisites:
        if not _is_met(ruleset, needed, variant, context, at, deeper):
            return _off(flag, {"prerequisite": needed})
    if rules.targets:
        unit = unit_of(context)
        if unit is not None and (target := rules.targets.get(unit)) is not None:
            return _served(flag, target, Reason.TARGETING_MATCH, {})
    for number, rule in enumerate(rules.rules, 1):
        if _fits(rule, ruleset, context):
            variant, is_drawn = drawn(rule.serve, flag.salt, context)
            reason = Reason.SPLIT if is_drawn else Reason.TARGETING_MATCH
            return _served(flag, variant, reason, {"rule": rule.name or str(number)})
    variant, is_drawn = drawn(rules.default_at(at), flag.salt, context)
    return _served(flag, variant, Reason.SPLIT if is_drawn else Reason.STATIC, {})


def drawn(serve: Serve, salt: str, context: Context) -> tuple[str, bool]:
    """The variant a context gets, and whether its user had to be drawn. Unanswerable where that user has no name."""
    if serve.percent <= 0 and serve.rest is not None:
        return serve.rest, False
    is_whole = serve.percent >= WHOLE or serve.rest is None
    if is_whole and len(serve.split) == 1:
        return serve.split[0][0], False
    unit = unit_of(context, serve.by)
    if unit is None:
        if serve.by is None:
            raise Unanswerable(ErrorCode.TARGETING_KEY_MISSING, "a percentage is in play: send a targetingKey")
        raise Unanswerable(ErrorCode.INVALID_CONTEXT, f"a percentage is drawn by {serve.by}: send this attribute")
    if not is_whole and serve.rest is not None and bucket(salt, unit) >= serve.percent:
        return serve.rest, True
    return _of_split(serve, salt, unit), True


def _of_split(serve: Serve, salt: str, unit: str) -> str:
    if len(serve.split) == 1:
        return serve.split[0][0]
    place, past = bucket(f"{salt}:variant", unit), 0
    for variant, weight in serve.split:
        past += weight
        if place < past:
            return variant
    return serve.split[-1][0]


def _is_met(ruleset: Ruleset, key: str, variant: str, context: Context, at: datetime, deeper: int) -> bool:
    """Whether the other flag serves this variant. One that is missing, or too many steps away, does not."""
    if deeper <= 0 or key not in ruleset.flags:
        return False
    return _evaluate(ruleset, key, context, at, deeper - 1).variant == variant


def _fits(rule: Rule, ruleset: Ruleset, context: Context) -> bool:
    for key in rule.segments:
        segment = ruleset.segments.get(key)
        if segment is None or not segment.holds(context):
            return False
    return all(condition.holds(context) for condition in rule.conditions)


def _off(flag: ServedFlag, metadata: dict[str, Scalar]) -> Evaluation:
    return _served(flag, flag.off, Reason.DISABLED, metadata)


def _served(flag: ServedFlag, variant: str, reason: Reason, metadata: dict[str, Scalar]) -> Evaluation:
    if flag.kind is FlagKind.MIGRATION:
        metadata["stage"] = variant
    return Evaluation(flag.key, variant, flag.variants[variant], reason, metadata)
