from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploys.models import Deploy, Fact, Team
from incidents.actions import detection
from incidents.models import Cause, Check, ErrorEvent, Incident, Issue, Proposal, TrafficCount
from reliability.actions.history import import_history, propose_incidents, read_for_import, summary
from reliability.domain.asked import knowledge_of, report
from reliability.domain.intervals import Interval
from reliability.domain.weeks import point_in_time, zone_named
from reliability.formats.history import read_history
from reliability.models import Objective
from reliability.queries.export import history_lines
from reliability.queries.reports import report_as_of
from tests.factories.catalog import ServiceFactory, TeamFactory
from tests.reliability.long_logs import long_logs
from tests.worked_cases import WorkedCase, differences, worked_case

NOW = datetime(2026, 3, 20, tzinfo=UTC)
pytestmark = [pytest.mark.database, pytest.mark.django_db]


def imported(team: Team, raw: bytes) -> dict[str, object]:
    reading = read_for_import(team=team, lines=raw.splitlines())
    import_history(team=team, reading=reading, now=NOW)
    return summary(reading)


def lines(*objects: dict[str, object]) -> bytes:
    return "\n".join(json.dumps(line) for line in objects).encode()


def asked(case: WorkedCase) -> tuple[Interval, datetime]:
    zone = zone_named(case.zone)
    window = Interval(point_in_time(case.from_text, zone), point_in_time(case.to_text, zone))
    return window, point_in_time(case.as_of_text, zone)


def of_database(team: Team, case: WorkedCase) -> dict[str, object]:
    window, as_of = asked(case)
    return report_as_of(team=team, window=window, as_of=as_of, zone=zone_named(case.zone))


def of_file(case: WorkedCase) -> dict[str, object]:
    window, as_of = asked(case)
    reading = read_history(case.raw.splitlines())
    return report(knowledge_of(reading.facts, reading.traffic_known_by(as_of), as_of), window, zone_named(case.zone))


@pytest.mark.conformance
def test_the_database_and_the_file_agree_on_every_worked_case_also_after_export(shared: Path) -> None:
    wrong = {}
    for path in sorted((shared / "metrics/corpus").glob("*.json")):
        case = worked_case(path)
        team = TeamFactory.create()
        imported(team, case.raw)

        printed, expected = of_database(team, case), of_file(case)
        with long_logs():
            excerpt = of_database(team, case)
        exported = of_file(replace(case, raw=b"\n".join(history_lines(team=team))))
        if not printed == expected == excerpt == exported or differences(case.expect, printed):
            wrong[case.name] = differences(case.expect, printed)

    assert wrong == {}


@pytest.mark.conformance
def test_an_export_imports_as_what_it_was_made_of(shared: Path) -> None:
    for path in sorted((shared / "metrics/corpus").glob("*.json"))[::12]:
        case = worked_case(path)
        team, copy = TeamFactory.create(), TeamFactory.create()
        imported(team, case.raw)
        imported(copy, b"\n".join(history_lines(team=team)))

        assert of_database(copy, case) == of_file(case)


@pytest.mark.conformance
def test_two_years_import_once_and_the_same(shared: Path) -> None:
    case = worked_case(shared / "metrics/triggerz.json")
    team = TeamFactory.create()

    first, second = imported(team, case.raw), imported(team, case.raw)

    assert {key: first[key] for key in ("lines_count", "refused_count")} == {"lines_count": 15238, "refused_count": 0}
    assert {key: second[key] for key in ("accepted_count", "duplicate_count")} == {
        "accepted_count": 0,
        "duplicate_count": 15238,
    }
    assert differences(case.expect, of_database(team, case)) == {}


INCIDENT = {"id": "INC-7", "services": ["shop"], "class": "downtime", "started_at": "2026-03-03T10:15:00Z"}
SMALL = lines(
    {"kind": "history", "payload": {"version": 1, "policy": {"pending_seconds": 60}}},
    {"kind": "service", "payload": {"service": "shop", "users": 1200}},
    {"kind": "objective", "payload": {"id": "up", "service": "shop", "target": 0.999, "window_days": 28}},
    {
        "kind": "deploy",
        "received_at": "2026-03-03T10:10:02Z",
        "payload": {
            "id": "d2",
            "service": "shop",
            "release": "1.4.0",
            "status": "success",
            "started_at": "2026-03-03T10:00:00Z",
            "finished_at": "2026-03-03T10:10:00Z",
            "delivery_id": "x",
        },
    },
    {"kind": "incident", "received_at": "2026-03-03T10:21:00Z", "payload": INCIDENT},
    {
        "kind": "incident",
        "received_at": "2026-03-03T10:40:00Z",
        "payload": {
            "id": "INC-7",
            "restored_at": "2026-03-03T10:30:00Z",
            "causes": [{"kind": "deploy", "id": "d2"}],
        },
    },
)


def test_an_import_writes_facts_and_rows() -> None:
    team = TeamFactory.create()

    result = imported(team, SMALL)

    assert result == {
        "lines_count": 6,
        "accepted_count": 6,
        "duplicate_count": 0,
        "refused_count": 0,
        "problems": [],
    }
    assert Fact.objects.filter(team=team, origin="import").count() == 6
    incident = Incident.objects.get(team=team)
    assert (incident.number, incident.restored_at) == (7, datetime(2026, 3, 3, 10, 30, tzinfo=UTC))
    assert Cause.objects.get(incident=incident).change == Deploy.objects.get(team=team).change
    assert Objective.objects.get(team=team).target == 0.999
    assert team.policy.pending_seconds == 60


def test_importing_the_same_file_again_changes_nothing() -> None:
    team = TeamFactory.create()
    imported(team, SMALL)
    before = list(Fact.objects.order_by("id").values())

    result = imported(team, SMALL)

    assert (result["accepted_count"], result["duplicate_count"]) == (0, 6)
    assert list(Fact.objects.order_by("id").values()) == before


def test_a_longer_file_adds_only_what_is_new_and_builds_on_known_records() -> None:
    team = TeamFactory.create()
    imported(team, SMALL)
    more = lines(
        {"kind": "incident", "received_at": "2026-03-04T00:00:00Z", "payload": {"id": "INC-7", "title": "Checkout"}}
    )

    result = imported(team, SMALL + b"\n" + more)

    assert (result["accepted_count"], result["duplicate_count"]) == (1, 6)
    assert Incident.objects.get(team=team).title == "Checkout"


def test_a_state_that_came_back_is_no_repeat() -> None:
    team = TeamFactory.create()
    changing = lines(
        *(
            {"kind": "incident", "payload": {**INCIDENT, "class": name}}
            for name in ("downtime", "multi_user", "downtime")
        )
    )

    result = imported(team, changing)

    assert (result["accepted_count"], result["duplicate_count"]) == (3, 0)
    assert Incident.objects.get(team=team).impact_class == "downtime"
    assert imported(team, changing)["duplicate_count"] == 3


def test_evidence_is_stored_beside_the_facts_and_wakes_no_detection() -> None:
    team = TeamFactory.create()
    at, received = "2026-03-03T10:00:00Z", "2026-03-03T10:16:00Z"
    sessions = {"service": "shop", "environment": "production", "at": at, "seconds": 900, "count": 10, "failed": 1}
    error = {"event_id": "e1", "timestamp": at, "service": "shop", "type": "KeyError", "message": "total"}
    raw = lines(
        {"kind": "sessions", "received_at": received, "payload": sessions},
        {"kind": "sessions", "received_at": "2026-03-03T11:00:00Z", "payload": {**sessions, "count": 12}},
        {
            "kind": "probe",
            "received_at": received,
            "payload": {"service": "shop", "at": at, "ok": False, "status": 503},
        },
        {"kind": "probe", "payload": {"service": "shop", "at": received, "ok": True, "latency_ms": 12.5}},
        {"kind": "error", "received_at": received, "payload": error},
        {"kind": "error", "received_at": received, "payload": error},
    )

    result = imported(team, raw)
    again = imported(team, raw)

    assert (result["accepted_count"], result["duplicate_count"], result["refused_count"]) == (5, 1, 0)
    assert (again["accepted_count"], again["duplicate_count"]) == (0, 6)
    assert Fact.objects.count() == 0
    assert list(TrafficCount.objects.order_by("id").values_list("count", "failed", "origin")) == [
        (10, 1, "import"),
        (12, 1, "import"),
    ]
    assert list(Check.objects.order_by("at").values_list("ok", "status", "latency_ms", "source")) == [
        (False, 503, None, "history"),
        (True, None, 12.5, "history"),
    ]
    assert ErrorEvent.objects.get().issue.title == "KeyError: total"
    assert Issue.objects.get().dirty_at is None


def test_counts_are_refused_where_this_instance_counted_itself() -> None:
    service = ServiceFactory.create(name="shop")
    at = datetime(2026, 3, 3, 10, tzinfo=UTC)
    environment = service.team.environments.create(name="Production", tier="production", created_at=NOW)
    TrafficCount.objects.create(
        service=service, environment=environment, at=at, seconds=60, count=3, failed=0, origin="live", received_at=at
    )
    payload = {"service": "shop", "environment": "production", "at": "2026-03-03T10:00:00Z", "seconds": 60, "count": 9}

    result = imported(service.team, lines({"kind": "sessions", "payload": payload}))

    assert (result["accepted_count"], result["refused_count"]) == (0, 1)
    assert TrafficCount.objects.get().count == 3


def test_an_export_of_evidence_gives_the_same_evidence() -> None:
    team, copy = TeamFactory.create(), TeamFactory.create()
    at = "2026-03-03T10:00:00Z"
    error = {
        "event_id": "e1",
        "timestamp": at,
        "service": "shop",
        "type": "KeyError",
        "message": "total",
        "frames": [{"file": "a.py", "function": "f", "line": 3, "in_app": True}],
        "tags": {"plan": "pro"},
    }
    imported(
        team,
        lines(
            {"kind": "probe", "payload": {"service": "shop", "at": at, "ok": True, "status": 200}},
            {"kind": "error", "received_at": at, "payload": error},
            {
                "kind": "sessions",
                "received_at": at,
                "payload": {
                    "service": "shop",
                    "environment": "eu",
                    "at": at,
                    "seconds": 60.0,
                    "count": 1,
                    "release": "2",
                },
            },
        ),
    )

    first = list(history_lines(team=team))
    imported(copy, b"\n".join(first))

    assert list(history_lines(team=copy)) == first
    assert json.loads(first[-1]) == {
        "kind": "error",
        "received_at": at,
        "payload": {**error, "environment": "production"},
    }
    assert len(list(history_lines(team=team, with_errors=False))) == len(first) - 1


def symptoms() -> bytes:
    """A deploy, then twelve errors of eight users within six minutes, then two failed probes and a good one."""
    start = datetime(2026, 3, 3, 10, tzinfo=UTC)
    frames = [{"file": "orders/totals.py", "function": "total", "line": 12, "in_app": True}]
    errors = [
        {
            "event_id": f"e{index:02}",
            "timestamp": (start + timedelta(seconds=60 + 30 * index)).isoformat(),
            "service": "shop",
            "environment": "production",
            "release": "2",
            "type": "KeyError",
            "message": "total",
            "frames": frames,
            "user": f"u{index % 8}",
        }
        for index in range(12)
    ]
    probes = [
        {
            "service": "shop",
            "environment": "production",
            "at": (start + timedelta(minutes=minute)).isoformat(),
            "ok": ok,
        }
        for minute, ok in ((2, False), (3, False), (9, True))
    ]
    deploy = {"id": "d", "service": "shop", "release": "2", "status": "success", "started_at": start.isoformat()}
    return lines(
        {"kind": "service", "payload": {"service": "shop", "probed": True}},
        {"kind": "deploy", "received_at": start.isoformat(), "payload": {**deploy, "finished_at": start.isoformat()}},
        *({"kind": "error", "received_at": error["timestamp"], "payload": error} for error in errors),
        *({"kind": "probe", "payload": probe} for probe in probes),
    )


def test_incidents_are_proposed_on_request_and_count_nowhere() -> None:
    team = TeamFactory.create(auto_open=True)
    other = ServiceFactory.create(name="shop")
    dirty = Issue.objects.create(
        service=other, grouping_version=1, fingerprint="f", first_seen_at=NOW, last_seen_at=NOW, dirty_at=NOW, title="t"
    )
    reading = read_for_import(team=team, lines=symptoms().splitlines())

    import_history(team=team, reading=reading, now=NOW, leave_symptoms=True)
    proposed = propose_incidents(team=team, reading=reading)

    assert proposed == Proposal.objects.filter(team=team).count() == 1
    assert Proposal.objects.get().payload["services"] == ["shop"]
    assert (Incident.objects.count(), ErrorEvent.objects.count(), Check.objects.count()) == (0, 12, 3)
    assert not Issue.objects.filter(service__team=team, dirty_at__isnull=False).exists()
    assert list(Issue.objects.filter(dirty_at__isnull=False)) == [dirty]
    assert imported(team, symptoms())["duplicate_count"] == 17


def test_an_import_without_that_request_wakes_no_detection() -> None:
    team = TeamFactory.create(auto_open=True)
    imported(team, symptoms())

    detection.run(now=NOW)

    assert (Incident.objects.count(), Proposal.objects.count(), ErrorEvent.objects.count()) == (0, 0, 12)
