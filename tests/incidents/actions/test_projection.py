"""Incident, maintenance and gap facts become rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deploys.actions.facts import NewFact, record_facts
from deploys.models import Change, Deploy, FactOrigin, Service, Team
from incidents.actions.projection import resolve_pending
from incidents.models import Cause, ImpactSpell, Incident, Maintenance, MonitoringGap, Remedy
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, ServiceFactory, TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def told(team: Team, *payloads: dict[str, Any], kind: str = "incident", origin: str = FactOrigin.IMPORT) -> None:
    record_facts(
        team=team,
        facts=[NewFact(kind=kind, payload=payload, received_at=NOON, origin=origin) for payload in payloads],
    )


def deploy(team: Team, external_id: str, *, source: str = "history") -> Deploy:
    service = Service.objects.filter(team=team).first() or ServiceFactory(team=team)
    environment = team.environments.first() or EnvironmentFactory(team=team)
    change = Change.objects.create(team=team, kind="deploy", environment=environment, service=service, at=NOON)
    return Deploy.objects.create(
        change=change, team=team, service=service, environment=environment, source=source, external_id=external_id,
        started_at=NOON,
    )  # fmt: skip


OPENED = {
    "id": "a1",
    "services": ["shop", "api"],
    "class": "multi_user",
    "title": "Totals are wrong",
    "started_at": "2026-03-04T12:00:00+01:00",
    "detected_at": "2026-03-04T11:10:00Z",
}


def test_first_fact_makes_the_incident() -> None:
    team = TeamFactory()

    told(team, OPENED)

    incident = Incident.objects.get()
    assert (incident.slug, incident.source, incident.external_id) == ("INC-1", "history", "a1")
    assert (incident.title, incident.impact_class) == ("Totals are wrong", "multi_user")
    assert incident.started_at == incident.begins_at == dt.datetime(2026, 3, 4, 11, 0, tzinfo=dt.UTC)
    assert incident.created_at == NOON
    assert [each.service.name for each in incident.incident_services.all()] == ["shop", "api"]
    assert [each.is_declared for each in Service.objects.all()] == [False, False]
    assert incident.person_keys == []
    assert incident.is_open


def test_later_facts_override_key_by_key() -> None:
    team = TeamFactory()
    told(team, OPENED)

    told(team, {"id": "a1", "services": ["api"], "restored_at": "2026-03-04T13:00:00Z", "degradation": 0.25})
    told(team, {"id": "a1", "title": "Totals were wrong"}, origin=FactOrigin.PERSON)

    incident = Incident.objects.get()
    assert incident.restored_at == NOON + dt.timedelta(hours=1)
    assert (incident.title, incident.degradation) == ("Totals were wrong", 0.25)
    assert [each.service.name for each in incident.incident_services.all()] == ["api"]
    assert incident.person_keys == ["title"]


def test_null_reopens() -> None:
    team = TeamFactory()
    told(team, {**OPENED, "restored_at": "2026-03-04T13:00:00Z"})

    told(team, {"id": "a1", "restored_at": None})

    assert Incident.objects.get().is_open


def test_detection_stands_in_for_an_unknown_start() -> None:
    team = TeamFactory()

    told(team, {"id": "a1", "services": ["shop"], "class": "downtime", "detected_at": 1_772_622_600})

    incident = Incident.objects.get()
    assert incident.started_at is None
    assert incident.begins_at == incident.detected_at == dt.datetime(2026, 3, 4, 11, 10, tzinfo=dt.UTC)


def test_same_facts_again_change_nothing() -> None:
    team = TeamFactory()
    payload = {
        **OPENED,
        "impact": [{"from_at": "2026-03-04T11:00:00Z", "to_at": "2026-03-04T11:20:00Z", "degradation": 0.5}],
        "causes": [{"kind": "external", "weight": 1}],
    }
    told(team, payload)
    before = list(ImpactSpell.objects.values()), list(Cause.objects.values()), list(Incident.objects.values())

    told(team, payload)

    assert (list(ImpactSpell.objects.values()), list(Cause.objects.values()), list(Incident.objects.values())) == before


def test_numbers_count_per_team_and_imported_numbers_are_kept() -> None:
    team, other = TeamFactory(), TeamFactory()

    told(team, {**OPENED, "id": "INC-7"}, {**OPENED, "id": "x"}, {**OPENED, "id": "inc-3"})
    told(team, {**OPENED, "id": "y"}, {**OPENED, "id": "INC-8"})
    told(other, {**OPENED, "id": "x"})

    numbers = Incident.objects.values_list("team", "external_id", "number").order_by("id")
    assert list(numbers) == [
        (team.pk, "INC-7", 7), (team.pk, "x", 8), (team.pk, "inc-3", 3), (team.pk, "y", 9), (team.pk, "INC-8", 10),
        (other.pk, "x", 1),
    ]  # fmt: skip


def test_causes_find_changes_by_public_id_then_by_history_id() -> None:
    team = TeamFactory()
    live, imported = deploy(team, "d1", source="api"), deploy(team, "d1")
    foreign = deploy(TeamFactory(), "d9")

    told(
        team,
        {
            **OPENED,
            "causes": [
                {"kind": "deploy", "id": str(live.change.public_id), "status": "suggested", "by": "model", "probability": 0.8},
                {"kind": "deploy", "id": "d1", "weight": 0.5},
                {"kind": "deploy", "id": "d9"},
                {"kind": "deploy", "id": str(foreign.change.public_id)},
                {"kind": "external", "id": "cloud"},
            ],
            "remedies": [{"kind": "deploy", "id": "d1"}],
        },
    )  # fmt: skip

    rows = Cause.objects.order_by("id").values_list("kind", "change", "status", "by", "weight", "probability")
    assert list(rows) == [
        ("deploy", live.pk, "suggested", "model", None, 0.8),
        ("deploy", imported.pk, "confirmed", "person", 0.5, None),
        ("deploy", None, "confirmed", "person", None, None),
        ("deploy", None, "confirmed", "person", None, None),
        ("external", None, "confirmed", "person", None, None),
    ]
    assert list(Remedy.objects.values_list("kind", "change")) == [("deploy", imported.pk)]


def test_a_change_that_arrives_later_is_found() -> None:
    team = TeamFactory()
    told(team, {**OPENED, "causes": [{"kind": "deploy", "id": "d1"}], "remedies": [{"kind": "deploy", "id": "d2"}]})
    first, second = deploy(team, "d1"), deploy(team, "d2")

    touched = resolve_pending(team=team)

    assert touched == {Incident.objects.get().pk}
    assert (Cause.objects.get().change_id, Remedy.objects.get().change_id) == (first.pk, second.pk)
    assert resolve_pending(team=team) == set()


def test_duplicates_are_linked_in_either_order() -> None:
    team = TeamFactory()

    told(team, {**OPENED, "id": "late", "duplicate_of": "first"})
    told(team, {**OPENED, "id": "first"}, {**OPENED, "id": "itself", "duplicate_of": "itself"})

    assert Incident.objects.get(external_id="late").duplicate_of == Incident.objects.get(external_id="first")
    assert Incident.objects.get(external_id="itself").duplicate_of is None

    told(team, {"id": "late", "duplicate_of": None})

    assert Incident.objects.get(external_id="late").duplicate_of is None


@pytest.mark.parametrize("count", [1, 300])
def test_queries_do_not_grow_with_the_batch(count: int, django_assert_max_num_queries: Any) -> None:
    team = TeamFactory()
    payloads = [{**OPENED, "id": f"a{n}", "causes": [{"kind": "deploy", "id": f"d{n}"}]} for n in range(count)]

    with django_assert_max_num_queries(45):
        told(team, *payloads)

    assert Incident.objects.count() == count


def test_maintenance_slots() -> None:
    team = TeamFactory()
    slot = {"id": "m1", "starts_at": "2026-03-04T20:00:00Z", "ends_at": "2026-03-04T21:00:00Z", "services": ["shop"]}

    told(team, slot, {**slot, "id": "m2", "services": None}, kind="maintenance")
    told(team, {"id": "m1", "excused_by": "Ida", "cancelled": True}, kind="maintenance")

    one, two = Maintenance.objects.order_by("external_id")
    assert [each.name for each in one.services.all()] == ["shop"]
    assert (one.is_for_all_services, one.excused_by, one.is_cancelled) == (False, "Ida", True)
    assert (two.is_for_all_services, two.services.count(), two.environment.name) == (True, 0, "production")


def test_monitoring_gaps() -> None:
    team = TeamFactory()

    told(team, {"id": "g1", "starts_at": "2026-03-04T20:00:00Z", "reason": "not set up"}, kind="monitoring_gap")
    told(team, {"id": "g1", "ends_at": "2026-03-04T21:00:00Z", "services": ["shop"]}, kind="monitoring_gap")

    gap = MonitoringGap.objects.get()
    assert gap.ends_at == dt.datetime(2026, 3, 4, 21, tzinfo=dt.UTC)
    assert ([each.name for each in gap.services.all()], gap.is_for_all_services) == (["shop"], False)
