"""Every project gets its turn: a flood delays a quiet project by a batch, not by its backlog."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from django.conf import settings
from django.db import connections, transaction

from incidents.actions.claims import by_turns
from incidents.actions.ingest import drain
from incidents.ingest.writer import Row, store_rows
from incidents.models import ErrorEvent, InboxItem
from incidents.queries import backlog
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]


def put(project: int, count: int, *, body: bytes = b"x", minute: float = 0) -> None:
    store_rows([Row(project, "envelope", "", "", body, NOON + minutes(minute))] * count)


def shares(size: int, *, most_bytes: int = 10**6, seed: int = 1) -> dict[int, int]:
    with transaction.atomic():
        rows = by_turns(
            InboxItem.objects.select_for_update(skip_locked=True),
            size=size,
            most_bytes=most_bytes,
            dice=random.Random(seed),
        )
    assert [row.pk for row in rows] == sorted(row.pk for row in rows)
    return dict(Counter(row.project for row in rows))


def test_an_empty_inbox_gives_nothing() -> None:
    assert shares(10) == {}


@pytest.mark.parametrize("seed", range(5))
def test_what_one_does_not_need_goes_to_the_others(seed: int) -> None:
    put(1, 50)
    put(2, 1)
    put(3, 3)

    assert shares(20, seed=seed) == {1: 16, 2: 1, 3: 3}
    assert shares(6, seed=seed) == {1: 3, 2: 1, 3: 2} or shares(6, seed=seed) == {1: 2, 2: 1, 3: 3}


@pytest.mark.parametrize("seed", range(5))
def test_large_bodies_take_a_share_of_the_bytes_only(seed: int) -> None:
    put(1, 5, body=b"x" * 400)
    put(2, 5)

    assert shares(10, most_bytes=1_000, seed=seed) == {1: 2, 2: 5} or shares(10, most_bytes=1_000, seed=seed) == {
        1: 1,
        2: 5,
    }


def test_one_body_comes_however_large() -> None:
    put(1, 2, body=b"x" * 400)

    assert shares(10, most_bytes=100) == {1: 1}


def test_of_many_projects_the_oldest_comes_and_the_others_by_lot() -> None:
    put(70, 9)
    for number in range(1, 61):
        put(number, 9)

    found = shares(100)

    assert (len(found), found[70], sum(found.values())) == (50, 2, 100)


def test_a_quiet_project_is_digested_in_the_next_batch() -> None:
    loud, quiet = ServiceFactory.create(), ServiceFactory.create()
    body = b'{}\n{"type":"event"}\n{"message":"m"}'
    rows = [Row(loud.number, "envelope", "", f"{n:032x}", body, NOON) for n in range(500)]
    store_rows([*rows, Row(quiet.number, "envelope", "", "f" * 32, body, NOON)])

    drain(now=NOON, most=10)

    assert dict(Counter(ErrorEvent.objects.values_list("service_id", flat=True))) == {loud.pk: 9, quiet.pk: 1}
    drain(now=NOON)
    assert (ErrorEvent.objects.count(), InboxItem.objects.count()) == (501, 0)


def test_the_backlog_tells_what_waits_by_project() -> None:
    assert backlog.backlog() == backlog.Backlog()
    put(7, 2, body=b"12345", minute=1)
    put(3, 1, body=b"12", minute=2)
    put(7, 1, body=b"12345", minute=3)

    found = backlog.backlog()

    assert found.projects == {7: backlog.Waiting(3, NOON + minutes(1)), 3: backlog.Waiting(1, NOON + minutes(2))}
    assert (found.rows, found.size_bytes, found.oldest_at) == (4, 17, NOON + minutes(1))


def test_a_claim_reads_no_more_of_a_large_inbox_than_of_a_small_one() -> None:
    connection = connections[settings.INBOX_ALIAS]
    table = InboxItem._meta.db_table
    with connection.cursor() as cursor:
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        cursor.execute(
            f"{numbers} INSERT INTO {table} (project, kind, encoding, event_id, body, received_at, attempts) "  # noqa: S608 -- name from the model
            "SELECT 1 + i %% 2, 'envelope', '', '', '', %s, 0 FROM n",
            [connection.ops.adapt_datetimefield_value(NOON)],
        )
        if connection.vendor == "postgresql":
            cursor.execute(f"ANALYZE {table}")
    claim = InboxItem.objects.filter(project__range=(1, 1), pk__gt=5).order_by("project", "pk")[:200]
    walk = backlog._WALK.format(table=table)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {walk}")
            plans = [row[-1] for row in cursor.fetchall()] + claim.explain().split("\n")
            steps = [plan for plan in plans if table in plan]
            assert [step for step in steps if "SEARCH" not in step or "inbox_turns" not in step] == []
        else:
            cursor.execute(f"EXPLAIN {walk}")
            plans = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan" not in plans
            assert "inbox_turns" in claim.explain()
