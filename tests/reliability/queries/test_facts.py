from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploys.actions.facts import record_fact
from deploys.models import Deploy, FlagChange, Team
from incidents.models import Incident, Maintenance
from reliability.queries.export import history_lines
from reliability.queries.facts import known_facts
from reliability.queries.reports import report_as_of, week_labelled
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
AT = TEN.isoformat()


def told(team: Team, kind: str, source: str = "history", **payload: Any) -> None:  # Any: JSON
    record_fact(team=team, kind=kind, payload=payload, received_at=TEN, origin="live", source=source)


def deploy(team: Team, source: str, name: str = "41", service: str = "shop") -> Deploy:
    told(team, "deploy", source, id=name, service=service, status="success", started_at=AT, finished_at=AT)
    return Deploy.objects.get(team=team, source=source, external_id=name, service__name=service)


def names(team: Team, kind: str) -> list[str]:
    return [fact.identity for fact in known_facts(team=team) if fact.kind == kind]


def test_an_external_id_is_enough_where_it_is_alone() -> None:
    team = TeamFactory.create()
    deploy(team, "github")
    told(team, "flag", id="f1", key="cart", at=AT, new_percent=5)
    told(team, "flag", key="cart", owner="kim")

    assert names(team, "deploy") == ["41"]
    assert (names(team, "flag_change"), names(team, "flag")) == (["f1"], ["production/cart"])


def test_the_public_id_tells_apart_what_shares_an_external_one() -> None:
    team = TeamFactory.create()
    imported, github, other = deploy(team, "history"), deploy(team, "github"), deploy(team, "github", service="api")

    assert names(team, "deploy") == ["41", str(github.change.public_id), str(other.change.public_id)]
    assert [fact.payload["id"] for fact in known_facts(team=team)] == names(team, "deploy")
    assert imported.external_id == "41"


def test_links_by_public_id_are_printed_by_the_one_name() -> None:
    team = TeamFactory.create()
    public_id = str(deploy(team, "github").change.public_id)
    told(team, "flag", "ofrep", id="f1", key="cart", at=AT, new_percent=5)
    flag_id = str(FlagChange.objects.get(team=team).change.public_id)
    told(team, "change", sha="c", committed_at=AT, deploys=[public_id])
    incident = {"services": ["shop"], "class": "downtime", "started_at": AT}
    links = [{"kind": "deploy", "id": public_id}, {"kind": "flag", "id": flag_id}, {"kind": "external"}]
    told(team, "incident", "upshot", id="INC-1", **incident, causes=links, remedies=links[:1])
    first = Incident.objects.get(team=team)
    told(team, "incident", "upshot", id="INC-2", **incident, duplicate_of=str(first.public_id))
    told(team, "maintenance", "upshot", id="m", starts_at=AT, ends_at=AT)
    assert Maintenance.objects.filter(team=team).exists()

    payloads = {fact.identity: fact.payload for fact in known_facts(team=team)}

    assert payloads["INC-1"]["causes"] == [
        {"kind": "deploy", "id": "41"},
        {"kind": "flag", "id": "f1"},
        {"kind": "external"},
    ]
    assert payloads["INC-1"]["remedies"] == [{"kind": "deploy", "id": "41"}]
    assert payloads["INC-2"]["duplicate_of"] == "INC-1"
    assert payloads["c"]["deploys"] == ["41"]


def test_a_cause_confirmed_here_counts_and_survives_an_export() -> None:
    team = TeamFactory.create()
    public_id = str(deploy(team, "github").change.public_id)
    link = {"kind": "deploy", "id": public_id}
    told(
        team, "incident", "upshot", id="INC-1", services=["shop"], started_at=AT, causes=[link], **{"class": "downtime"}
    )
    window = week_labelled(team=team, label="2026-W10")

    failure = report_as_of(team=team, window=window, as_of=TEN + timedelta(hours=1))["total"]["change_failure"]
    exported = [json.loads(line) for line in history_lines(team=team)]

    assert failure["failed_deploy_ids"] == ["41"]
    assert exported[-1]["payload"]["causes"] == [{"kind": "deploy", "id": "41"}]


def test_a_delivery_id_kept_beside_the_payload_is_exported() -> None:
    team = TeamFactory.create()
    payload = {"id": "1", "service": "shop", "started_at": AT}
    record_fact(
        team=team, kind="deploy", payload=payload, received_at=TEN, origin="live", source="github", delivery_id="x"
    )

    assert json.loads(list(history_lines(team=team))[-1])["payload"] == {**payload, "delivery_id": "x"}


def test_another_teams_facts_stay_out() -> None:
    team, other = TeamFactory.create(), TeamFactory.create()
    deploy(other, "github")

    assert known_facts(team=team) == []
