"""Rules of a source: from the names a sender uses to the team's services and environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

Rule = Mapping[str, str]
#: What a rule looks at, then what it names. An empty pattern means any; `*` and `?` match, without case.
PATTERNS: Final = ("repository", "environment", "workflow")
RULE_KEYS: Final = (*PATTERNS, "service", "to_environment")


def fitting_rule(
    rules: Sequence[Rule], *, repository: str, environment: str, trigger: str, by_rule: bool
) -> Rule | None:
    """The first rule that fits. With `by_rule`, only rules that name a workflow are looked at."""
    for rule in rules:
        if by_rule and not rule.get("workflow"):
            continue
        names = (repository, environment, trigger)
        if all(_fits(rule.get(key), name) for key, name in zip(PATTERNS, names, strict=True)):
            return rule
    return None


def _fits(pattern: str | None, name: str) -> bool:
    return fnmatchcase(name.lower(), (pattern or "*").lower())
