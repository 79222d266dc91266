"""Facts of kind `history`: how the team counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from deploys.models import Policy, Team
from deploys.ports import Record

NUMBERS: Final = ("deploy_timeout_seconds", "pending_seconds", "maintenance_notice_seconds", "stale_after_seconds")


def project_policy(team: Team, records: Sequence[Record]) -> None:
    """Writes the team's policy. Keys the facts do not name stand at their defaults."""
    for record in records:
        stated = record.payload.get("policy")
        stated = stated if isinstance(stated, Mapping) else {}
        defaults = Policy()
        values: dict[str, object] = {
            "environment": str(stated.get("environment") or defaults.environment)[:100],
            "failure_classes": stated.get("failure_classes") or defaults.failure_classes,
        }
        for name in NUMBERS:
            value = stated.get(name)
            values[name] = getattr(defaults, name) if value is None else int(value)
        Policy.objects.update_or_create(team=team, defaults=values)
