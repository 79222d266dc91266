from __future__ import annotations

import datetime as dt

from incidents.domain.backups import BackupRun, backup_warnings
from tests.conftest import NOON

DAY = dt.timedelta(days=1)


def runs(*sizes: int | None, restored: bool | None = True) -> list[BackupRun]:
    """One a day, the last at noon; the restore told of with the last."""
    last = len(sizes) - 1
    return [
        BackupRun(NOON - DAY * (last - place), size, restored if place == last else None)
        for place, size in enumerate(sizes)
    ]


def warnings(found: list[BackupRun], *, days: float = 0, age: float = 2, since: float = 10) -> list[str]:
    return backup_warnings(found, created_at=NOON - DAY * since, now=NOON + DAY * days, longest_age=DAY * age)


def test_a_good_one_is_not_spoken_of() -> None:
    assert warnings(runs(100, 110, 90, 120)) == []
    assert warnings(runs(100, 900)) == []
    assert warnings(runs(100, 110, 90, None)) == []


def test_one_that_never_succeeded_is_told_of_after_a_day_and_a_half() -> None:
    assert warnings([], since=1) == []
    assert warnings([], since=2) == ["it has never succeeded"]


def test_a_size_out_of_the_usual_is_suspicious() -> None:
    assert warnings(runs(100, 110, 90, 20)) == ["its size is 0.2 times the usual one"]
    assert warnings(runs(100, 110, 90, 0)) == ["it is empty"]
    assert warnings(runs(0, 0, 0, 5)) == []


def test_an_old_one_is_told_of_unless_nothing_has_changed_since() -> None:
    old = runs(100)
    frozen = [BackupRun(NOON, 100, restored=True, source_changed_at=NOON - DAY)]

    assert warnings(old, days=3) == ["the last good one is too old"]
    assert warnings(frozen, days=3) == []
    assert backup_warnings(old, created_at=NOON, now=NOON + DAY * 9, longest_age=None) == []


def test_what_nobody_restored_is_told_of() -> None:
    assert warnings(runs(100, restored=None), since=40) == ["nobody has restored one for 30 days"]
    assert warnings(runs(100, restored=False)) == ["the last try to restore it failed"]
