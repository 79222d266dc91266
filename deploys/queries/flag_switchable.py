"""Which flag changes were made to flags that are served from here and could be turned off now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from deploys.domain.flag_documents import InvalidRules
from deploys.domain.flag_rules import FlagKind
from deploys.domain.flag_standing import reach
from deploys.models import Change, FlagSettings, RegisteredFlag, Team
from deploys.queries.flag_rulesets import rules_in


def switchable(team: Team, changes: Iterable[Change], *, now: dt.datetime) -> dict[int, RegisteredFlag]:
    """By change: its flag, if some user gets something other than the off variant there. Changes of flags are loaded.

    One query; none where no flag changed.
    """
    flips = {
        change.pk: (change.flag_change.flag.key, change.environment_id)
        for change in changes
        if change.kind == Change.Kind.FLAG
    }
    if not flips:
        return {}
    rows = FlagSettings.objects.select_related("flag").filter(
        flag__team=team, flag__archived_at__isnull=True, flag__key__in={key for key, _ in flips.values()},
        environment__in={environment for _, environment in flips.values()},
    )  # fmt: skip
    on = {(row.flag.key, row.environment_id): row.flag for row in rows if _is_on(row, now)}
    return {pk: on[place] for pk, place in flips.items() if place in on}


def _is_on(row: FlagSettings, now: dt.datetime) -> bool:
    try:
        return reach(rules_in(row.flag, row), row.flag.off_variant, FlagKind(row.flag.kind), now).is_reached
    except InvalidRules:
        return False
