"""Writers of one process wait in turn, never for somebody who waits for them, and those who wait together write together."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from django.db import OperationalError, connection, transaction

from deploys.actions import turns
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_who_is_in_a_transaction_does_not_wait_for_the_turn_of_another() -> None:
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with turns._TURN:
            taken.set()
            done.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    taken.wait(30)
    with transaction.atomic(), turns.one_write():
        team = TeamFactory()
    done.set()
    other.join()

    assert team.pk is not None


def test_what_runs_after_the_commit_may_write_again() -> None:
    again: list[bool] = []

    def write() -> None:
        with turns.one_write():
            again.append(connection.in_atomic_block)

    with turns.one_write():
        transaction.on_commit(write)

    assert again == [True]


class Slow:
    """Doubles numbers; while the first group is at work, the others gather."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.groups.append(sorted(numbers))
        if len(self.groups) == 1:
            self.begun.set()
            assert self.go_on.wait(30)
        if 13 in numbers:
            raise ValueError("thirteen")
        if 99 in numbers:
            raise OperationalError("locked")
        return [KeyError(number) if number == 7 else number * 2 for number in numbers]


def together(numbers: Sequence[int], *, most: int = 32) -> tuple[list[list[int]], dict[int, object]]:
    """The groups in which these came to be written, the first alone; and what each caller was told."""
    work = Slow()
    double = turns.Together(work, most=most)
    told: dict[int, object] = {}

    def call(number: int) -> None:
        try:
            told[number] = double(number)
        except (ValueError, LookupError, OperationalError) as error:
            told[number] = repr(error)

    threads = [threading.Thread(target=call, args=(number,)) for number in numbers]
    threads[0].start()
    assert work.begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    while len(double._waiting) < len(numbers) - 1:  # all of them stand in line
        threading.Event().wait(0.001)
    work.go_on.set()
    for thread in threads:
        thread.join(30)
    return work.groups, told


def test_those_who_come_while_somebody_writes_are_written_together() -> None:
    groups, told = together([1, 2, 3, 4])

    assert groups == [[1], [2, 3, 4]]
    assert told == {1: 2, 2: 4, 3: 6, 4: 8}


def test_a_group_has_a_limit_and_nobody_is_left_behind() -> None:
    groups, told = together([1, 2, 3, 4, 5], most=2)

    assert [len(group) for group in groups] == [1, 2, 2]
    assert told == {number: number * 2 for number in range(1, 6)}


def test_each_caller_is_told_of_its_own_error_only() -> None:
    groups, told = together([1, 7, 13, 2])

    assert groups[:2] == [[1], [2, 7, 13]]
    assert sorted(groups[2:]) == [[2], [7], [13]]
    assert told == {1: 2, 2: 4, 7: "KeyError(7)", 13: "ValueError('thirteen')"}


def test_a_database_that_is_busy_is_told_to_all_at_once() -> None:
    groups, told = together([1, 99, 2])

    assert groups == [[1], [2, 99]]
    assert told == {1: 2, 2: "OperationalError('locked')", 99: "OperationalError('locked')"}


def test_what_ends_the_thread_leaves_nobody_waiting() -> None:
    def work(numbers: Sequence[int]) -> list[int | Exception]:
        raise SystemExit(1) if numbers[0] == 0 else ValueError("the next one")

    double = turns.Together(work)
    with pytest.raises(SystemExit):
        double(0)

    with pytest.raises(ValueError, match="the next one"):
        double(1)
