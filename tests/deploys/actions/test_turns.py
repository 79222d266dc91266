"""Writers of one process wait in turn, and never for somebody who waits for them."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

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
