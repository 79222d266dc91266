from __future__ import annotations

import datetime as dt

from deploys.domain.flag_cleanup import Finding, Judgement, Rule, State
from deploys.domain.flag_dossier import Dossier
from deploys.domain.flag_summary import Summary, summary_of

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def judged(state: State, *rules: Rule) -> Judgement:
    return Judgement(state, tuple(Finding(rule, "") for rule in rules))


def test_nothing_is_no_flag_and_no_age() -> None:
    assert summary_of([], NOW) == Summary()


def test_flags_are_counted_by_what_is_asked() -> None:
    flags = [
        (Dossier("a", created_at=NOW - 40 * DAY, owner="ann"), judged(State.CLEANUP_DUE, Rule.ROLLED_OUT, Rule.CAP)),
        (Dossier("b", created_at=NOW - 20 * DAY, owner="ann"), judged(State.ABANDONED, Rule.ABANDONED)),
        (Dossier("c", created_at=NOW - 2 * DAY), judged(State.CLEANUP_DUE, Rule.EXPIRED)),
        (Dossier("d", created_at=NOW - 90 * DAY, owner="bo"), judged(State.KEPT, Rule.ROLLED_OUT)),
        (Dossier("e", owner="bo"), judged(State.NEEDS_EVIDENCE)),
        (Dossier("f", created_at=NOW - 99 * DAY, owner="bo"), judged(State.PERMANENT, Rule.UNTESTED)),
        (Dossier("g", created_at=NOW - 9 * DAY, archived_at=NOW - DAY), judged(State.ZOMBIE, Rule.ZOMBIE)),
        (Dossier("h", is_registered=False), judged(State.ZOMBIE, Rule.ZOMBIE)),
    ]

    told = summary_of(flags, NOW)

    assert told == Summary(
        active_count=6, made_count=1, removed_count=1, due_count=3, question_count=1, zombie_count=2, undrilled_count=1,
        over_cap_count=1, median_age=40 * DAY, owners=(("ann", 2), ("", 1)),
    )  # fmt: skip
    assert told.net_count == 0
