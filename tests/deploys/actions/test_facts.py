"""The fact log folds in the order of learning and ignores repeated deliveries."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deploys import ports
from deploys.actions.facts import NewFact, facts_of_records, identity_of, record_fact, record_facts, storable
from deploys.models import Fact, Team
from deploys.ports import Record
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LATER = NOON + dt.timedelta(hours=1)


@pytest.fixture
def projected() -> Iterator[list[Record]]:
    """Records of kind objective, as they reach their projector."""
    seen: list[Record] = []
    before = ports._projectors.get("objective")
    ports.register_projector("objective", lambda team, records: seen.extend(records))
    yield seen
    if before is not None:
        ports.register_projector("objective", before)


def objective(team: Team, received_at: dt.datetime | None, origin: str = "live", **payload: Any) -> Any:
    return record_fact(
        team=team, kind="objective", payload={"id": "o", **payload}, received_at=received_at, origin=origin
    )


def test_a_late_fact_of_earlier_knowledge_does_not_win(projected: Sequence[Record]) -> None:
    team = TeamFactory()
    objective(team, LATER, target=0.99)

    answer = objective(team, NOON, target=0.9, service="shop")

    assert answer.payload == {"id": "o", "target": 0.99, "service": "shop"}
    assert projected[-1].payload == answer.payload
    assert projected[-1].first_received_at == NOON


def test_undated_facts_come_first(projected: Sequence[Record]) -> None:
    team = TeamFactory()
    objective(team, NOON, target=0.99)

    assert objective(team, None, target=0.5).payload["target"] == 0.99


def test_a_repeated_delivery_changes_nothing(projected: Sequence[Record]) -> None:
    team = TeamFactory()
    fact = NewFact(
        kind="objective", payload={"id": "o", "target": 0.9}, received_at=NOON, source="api", delivery_id="x"
    )

    answers = record_facts(team=team, facts=[fact, fact])
    again = record_facts(team=team, facts=[fact])

    assert [each.is_duplicate for each in answers + again] == [False, True, True]
    assert [each.is_first for each in answers + again] == [True, True, False]
    assert Fact.objects.count() == 1
    assert len(projected) == 1


def test_the_same_delivery_of_another_team_is_another(projected: Sequence[Record]) -> None:
    fact = NewFact(kind="objective", payload={"id": "o"}, received_at=NOON, delivery_id="x")

    answers = [record_facts(team=TeamFactory(), facts=[fact])[0] for _ in range(2)]

    assert [each.is_duplicate for each in answers] == [False, False]


def test_what_a_person_said_last_is_known_as_theirs(projected: Sequence[Record]) -> None:
    team = TeamFactory()
    objective(team, NOON, "person", target=0.9, min_requests=5)
    objective(team, LATER, "model", min_requests=7)

    assert projected[-1].person_keys == {"target"}


@pytest.mark.parametrize(
    ("kind", "source", "payload", "identity"),
    [
        ("deploy", "history", {"id": 1, "service": "a"}, '["history","1"]'),
        ("deploy", "api", {"id": "1", "service": "a"}, '["api","a","1"]'),
        ("flag", "api", {"id": "1", "key": "k"}, '["change","api","1"]'),
        ("flag", "api", {"key": "k"}, '["flag","k","production"]'),
        ("change", "api", {"sha": "é"}, '["é"]'),
        ("service", "api", {"service": "a"}, '["a"]'),
        ("history", "history", {}, '["history"]'),
        ("incident", "upshot", {"id": "i"}, '["upshot","i"]'),
    ],
)
def test_identity(kind: str, source: str, payload: dict[str, Any], identity: str) -> None:
    assert identity_of(kind, source, payload) == identity


def test_what_a_database_refuses_is_replaced() -> None:
    assert storable({"a\x00": ["\ud800", 1, None, ("x",)]}) == {"a\ufffd": ["?", 1, None, ["x"]]}


def test_an_imported_deploy_keeps_no_password_of_its_address() -> None:
    payload = {"id": "1", "service": "shop", "started_at": NOON.isoformat(), "url": "https://a:b@ci/1", "note": "x@y"}

    record_fact(team=TeamFactory(), kind="deploy", payload=payload, received_at=NOON, origin="import")

    assert Fact.objects.get(kind="deploy").payload == payload | {"url": "https://ci/1"}


def test_facts_of_many_records_are_found_by_their_names_not_by_walking_through_all_of_the_team() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by what it knows of the rows, of which there are none here")
    team = TeamFactory()
    with CaptureQueriesContext(connection) as seen:
        facts_of_records(team=team, kind="change", identities=[f"[{n}]" for n in range(200)])
    [asked] = seen.captured_queries

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked['sql']}")
        plan = " ".join(str(row) for row in cursor.fetchall())

    assert "fact_record (team_id=? AND kind=? AND identity=?)" in plan
