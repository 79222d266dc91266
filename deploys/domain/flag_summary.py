"""The head of a report on flags: how many there are, how old, and who is asked for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from deploys.domain.flag_cleanup import DUE, Judgement, Rule, State
from deploys.domain.flag_dossier import Dossier

WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts at an instant. `made_count` and `removed_count` are of the seven days before it.

    `owners` are those who are asked to clean up, most flags first, nobody as the empty text. Median age of active flags
    whose birth is known; None without any.
    """

    active_count: int = 0
    made_count: int = 0
    removed_count: int = 0
    due_count: int = 0
    question_count: int = 0
    zombie_count: int = 0
    undrilled_count: int = 0
    over_cap_count: int = 0
    median_age: timedelta | None = None
    owners: tuple[tuple[str, int], ...] = ()

    @property
    def net_count(self) -> int:
        """How many more there are than a week ago."""
        return self.made_count - self.removed_count


def summary_of(flags: Sequence[tuple[Dossier, Judgement]], at: datetime) -> Summary:
    """The counts over all flags of a team, archived ones and zombies among them."""
    active = [(flag, judged) for flag, judged in flags if flag.is_registered and flag.archived_at is None]
    ages = [(at - flag.created_at).total_seconds() for flag, _ in active if flag.created_at is not None]
    due = [flag for flag, judged in active if is_due(judged)]
    owners = Counter(flag.owner for flag in due)
    return Summary(
        active_count=len(active),
        made_count=sum(flag.created_at is not None and at - flag.created_at < WEEK for flag, _ in flags if flag.is_registered),
        removed_count=sum(flag.archived_at is not None and at - flag.archived_at < WEEK for flag, _ in flags),
        due_count=len(due),
        question_count=sum(judged.state is State.NEEDS_EVIDENCE for _, judged in active),
        zombie_count=sum(judged.state is State.ZOMBIE for _, judged in flags),
        undrilled_count=sum(Rule.UNTESTED in judged.rules for _, judged in active),
        over_cap_count=sum(Rule.CAP in judged.rules for _, judged in active),
        median_age=timedelta(seconds=median(ages)) if ages else None,
        owners=tuple(sorted(owners.items(), key=lambda each: (-each[1], each[0]))),
    )  # fmt: skip


def is_due(judged: Judgement) -> bool:
    """Whether somebody is asked to do something about the flag now: not where it is postponed or on its way out."""
    waits = {State.KEPT, State.CODE_REMOVED, State.DRAINING, State.ARCHIVED, State.ZOMBIE}
    return bool(set(judged.rules) & DUE) and judged.state not in waits
