"""What counters say of a flag's last evaluation, for METRICS section 16's reason `unevaluated`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from deploys.domain.flag_dossier import Usage
from deploys.domain.flag_lifecycle import Flag

LISTED: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The last evaluation that is known of, or since when none could have been missed."""

    at: datetime | None


Evaluations: TypeAlias = Callable[[datetime], Mapping[str, Evaluated]]
"""At an instant, the flags whose evaluations are measured then. A flag that is not in it is not measured."""


def last_evaluated(usages: Sequence[Usage], at: datetime) -> Evaluated | None:
    """From the usage in every production environment; None where that is not measured.

    Measured is a flag that was asked for in the last 14 days, or that nobody could have asked for unseen: every environment
    has telemetry within 24 hours, and no listing that might hide a check. Never asked for: since the watch began, the last
    that any environment's began, because before that nobody could have seen it.
    """
    checks = [each.checked_at for each in usages if each.checked_at is not None]
    last = max(checks, default=None)
    if last is not None and at - last <= LISTED:
        return Evaluated(last)
    is_hidden = any(each.listed_at is not None and at - each.listed_at <= LISTED for each in usages)
    if not usages or is_hidden or not all(each.is_alive(at) for each in usages):
        return None
    watched = [each.watched_since for each in usages if each.watched_since is not None]
    return Evaluated(max([*watched, *checks], default=None))


def with_evaluation(flag: Flag, evaluated: Evaluated | None) -> Flag:
    """The flag as the history tells it, with what the counters say where they say anything."""
    return flag if evaluated is None else replace(flag, is_evaluation_known=True, last_evaluated_at=evaluated.at)
