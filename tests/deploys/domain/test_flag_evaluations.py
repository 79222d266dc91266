from __future__ import annotations

import datetime as dt

import pytest

from deploys.domain.flag_dossier import Usage
from deploys.domain.flag_evaluations import Evaluated, last_evaluated, with_evaluation
from deploys.domain.flag_lifecycle import Flag

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
WATCHED = Usage(NOW, NOW - 60 * DAY)
ASKED = Usage(NOW, NOW - 60 * DAY, NOW - 20 * DAY)


@pytest.mark.parametrize(
    ("usages", "told"),
    [
        ([], None),
        ([Usage()], None),
        ([WATCHED], Evaluated(NOW - 60 * DAY)),
        ([Usage(NOW, NOW - 60 * DAY, NOW - DAY)], Evaluated(NOW - DAY)),
        ([Usage(NOW, NOW - 30 * DAY, NOW - 40 * DAY)], Evaluated(NOW - 30 * DAY)),
        ([ASKED], Evaluated(NOW - 20 * DAY)),
        ([WATCHED, Usage(NOW - 2 * DAY, NOW - 60 * DAY)], None),
        ([Usage(NOW, NOW - 60 * DAY, None, NOW - DAY)], None),
        ([Usage(NOW, NOW - 60 * DAY, None, NOW - 15 * DAY)], Evaluated(NOW - 60 * DAY)),
        ([Usage(NOW - 3 * DAY, NOW - 60 * DAY, NOW - 3 * DAY, NOW)], Evaluated(NOW - 3 * DAY)),
        ([Usage(checked_at=NOW - DAY)], Evaluated(NOW - DAY)),
    ],
)
def test_what_counters_can_say(usages: list[Usage], told: Evaluated | None) -> None:
    assert last_evaluated(usages, NOW) == told


def test_what_they_cannot_say_leaves_the_history_s_word() -> None:
    flag = Flag("k", is_evaluation_known=True, last_evaluated_at=NOW)

    assert with_evaluation(flag, None) is flag
    assert with_evaluation(flag, Evaluated(NOW - DAY)) == Flag(
        "k", is_evaluation_known=True, last_evaluated_at=NOW - DAY
    )
