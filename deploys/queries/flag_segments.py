"""Which flags use which segments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from deploys.domain.flag_rules import Rules
from deploys.models import Environment, FlagSettings, RegisteredFlag, Team
from deploys.queries.flag_rulesets import rules_in


@dataclass(frozen=True, slots=True)
class Use:
    """A flag whose rules name a segment, and where."""

    flag: RegisteredFlag
    environment: Environment
    rules: Rules


def segment_uses(team: Team) -> dict[str, list[Use]]:
    """By segment, the flags in use whose rules name it, by key and environment; also those that are off. One query.

    Rules are stored as checked; InvalidRules would be a fault of ours.
    """
    rows = FlagSettings.objects.filter(flag__team=team, flag__archived_at__isnull=True)
    found: dict[str, list[Use]] = defaultdict(list)
    for row in rows.select_related("flag__team", "environment").order_by("flag__key", "environment__name"):
        named = {key for rule in row.document["rules"] for key in rule["segments"]}
        if named:
            use = Use(row.flag, row.environment, rules_in(row.flag, row))
            for key in named:
                found[key].append(use)
    return found
