"""Rows handed over as one text are the rows that the ORM would have written, whatever is in them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection

from deploys.actions.facts import ATTRIBUTES, COLUMNS
from deploys.actions.inserts import insert_rows
from deploys.models import Fact
from deploys.queries.prepared import PreparedRows
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]

EXACT = NOON + dt.timedelta(microseconds=7)
BERLIN = dt.datetime(2026, 3, 4, 13, 0, tzinfo=dt.timezone(dt.timedelta(hours=1)))


@pytest.mark.parametrize(
    ("name", "received_at", "payload"),
    [
        ("plain", NOON, {"id": "1", "n": 1, "x": 0.1, "on": True, "none": None, "list": [1, "a", {"b": []}]}),
        ("Ænderung \"'\\ %s", EXACT, {"æ": "😀 \n\t"}),
        ("since ever", None, {}),
        ("elsewhere", BERLIN, {"exact": 0.1 + 0.2, "small": 5e-324, "large": 1e22}),
        ("large", NOON, {"number": 2**70}),
    ],
)
def test_what_is_written_is_read_again(name: str, received_at: dt.datetime | None, payload: dict[str, Any]) -> None:
    team = TeamFactory()
    row = (team.pk, "objective", name, received_at, "live", None, "api", None, payload)

    keys = insert_rows(Fact, COLUMNS, [row, row])

    found = list(Fact.objects.order_by("pk"))
    assert [each.pk for each in found] == keys
    assert [tuple(getattr(each, attribute) for attribute in ATTRIBUTES) for each in found] == [row, row]


def test_a_text_is_not_cut_at_a_nul() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps no NUL at all, which is why nobody hands one over")
    row = (TeamFactory().pk, "objective", "a\x00b", NOON, "live", None, "api", None, {})

    insert_rows(Fact, COLUMNS, [row])

    assert Fact.objects.get().identity == "a\x00b"


@pytest.mark.parametrize("names", [[], ["b"], ["a", "c", "nobody", "'); --"], [f"n{n}" for n in range(2_000)]])
def test_a_list_of_any_length_is_one_value_of_a_statement(names: list[str]) -> None:
    team = TeamFactory()
    rows = [(team.pk, "objective", name, NOON, "live", None, "api", None, {}) for name in ("a", "b", "c")]
    insert_rows(Fact, COLUMNS, rows)
    among = PreparedRows(lambda names: Fact.objects.filter(identity__among=names), names=["(name)"])

    found = [sorted(each.identity for each in among(names=some)) for some in (names, ["a", "b"], names)]

    assert found == [sorted({"a", "b", "c"} & set(names)), ["a", "b"], sorted({"a", "b", "c"} & set(names))]
