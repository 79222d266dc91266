from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploys.domain.records import Fact, Record
from reliability.formats.history import Reading, checked_payload, line_of, read_history

Line = dict[str, Any]  # Any: JSON
TEN = "2026-03-03T10:00:00Z"


def read(*lines: Line | str) -> Reading:
    return read_history([(line if isinstance(line, str) else json.dumps(line)).encode() for line in lines])


def problems(*lines: Line | str) -> list[str]:
    return [str(problem) for problem in read({"kind": "service", "payload": {"service": "shop"}}, *lines).problems]


def incident(**more: Any) -> Line:  # Any: JSON
    payload = {"id": "i", "services": ["shop"], "class": "downtime", "started_at": TEN, **more}
    return {"kind": "incident", "payload": {key: value for key, value in payload.items() if value != "absent"}}


def deploy(**more: Any) -> Line:  # Any: JSON
    return {"kind": "deploy", "payload": {"id": "d", "service": "shop", "started_at": TEN, **more}}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (incident(started_at="2026-03-03T10:00:00"), 'incident.started_at: expected a time with offset, got "2026-03-03T10:00:00"'),
        (incident(started_at="2026-03-03"), 'incident.started_at: expected a time with offset, got "2026-03-03"'),
        (incident(started_at="1772532000"), 'incident.started_at: expected a time with offset, got "1772532000"'),
        (incident(services="absent"), "incident.services: missing"),
        (incident(services=[]), "incident.services: expected a list that is not empty, got []"),
        (incident(services="shop"), 'incident.services: expected a list, got "shop"'),
        (incident(started_at="absent"), "incident.started_at: missing"),
        (incident(id="absent"), "incident.id: missing"),
        (incident(id=True), "incident.id: expected a text of 1 to 200 characters, got true"),
        (
            incident(**{"class": "catastrophe"}),
            'incident.class: expected one of downtime, multi_user, single_user, impactless, got "catastrophe"',
        ),
        (
            incident(restored_at="2026-03-03T09:00:00Z"),
            f'incident.restored_at: expected a time not before started_at {TEN}, got "2026-03-03T09:00:00Z"',
        ),
        (incident(degradation=1.5), "incident.degradation: expected a number from 0 to 1, got 1.5"),
        (incident(degradation=True), "incident.degradation: expected a number from 0 to 1, got true"),
        (incident(causes=[{"kind": "deploy"}]), "incident.causes.id: missing"),
        (incident(causes=[{"kind": "weather"}]), 'incident.causes.kind: expected one of deploy, flag, external, infrastructure, capacity, unknown, got "weather"'),
        (incident(causes=[{"kind": "external", "weight": 0}]), "incident.causes.weight: expected a number above 0 to 1, got 0"),
        (incident(causes=["d1"]), 'incident.causes: expected an object, got "d1"'),
        (incident(remedies=[{"id": "x"}]), "incident.remedies.kind: missing"),
        (
            incident(impact=[{"from_at": TEN, "to_at": "2026-03-03T09:00:00Z"}]),
            'incident.impact.to_at: expected a time not before from_at, got "2026-03-03T09:00:00Z"',
        ),
        (incident(impact=["now"]), 'incident.impact: expected an object, got "now"'),
        (incident(dismissed="yes"), 'incident.dismissed: expected true or false, got "yes"'),
        (incident(title=5), "incident.title: expected a text, got 5"),
        (deploy(percent=101), "deploy.percent: expected a number from 0 to 100, got 101"),
        ({"kind": "deploy", "payload": {"id": "d"}}, "deploy.service: missing"),
        ({"kind": "flag", "payload": {"key": "k", "at": TEN, "new_percent": 5}}, "flag.id: missing"),
        ({"kind": "flag", "payload": {"id": "f", "key": "k", "at": TEN}}, "flag.new_percent: missing"),
        ({"kind": "flag", "payload": {"key": "k", "code_references": 1.5}}, "flag.code_references: expected a whole number from 0, got 1.5"),
        ({"kind": "flag", "payload": {"id": "f", "segment": []}}, "flag.segment: expected an object, got []"),
        ({"kind": "objective", "payload": {"id": "o", "target": 0.9}}, "objective.window_days: missing (or state calendar)"),
        (
            {"kind": "objective", "payload": {"id": "o", "target": 0.9, "window_days": 7, "calendar": "week"}},
            "objective.calendar: expected one of window_days and calendar, got both",
        ),
        (
            {"kind": "objective", "payload": {"id": "o", "target": 0.9, "window_days": 14}},
            "objective.window_days: expected one of 7, 28, 30, 90, got 14",
        ),
        (
            {"kind": "sessions", "payload": {"service": "shop", "environment": "p", "at": TEN, "seconds": 1, "count": 1, "failed": 2}},
            "sessions.failed: expected at most the count 1, got 2",
        ),
        ({"kind": "sessions", "payload": {"service": "shop", "at": TEN, "seconds": 1, "count": 1}}, "sessions.environment: missing"),
        (
            {"kind": "service", "payload": {"service": "shop", "born_at": TEN, "retired_at": "2026-03-03T09:00:00Z"}},
            f'service.retired_at: expected a time not before born_at {TEN}, got "2026-03-03T09:00:00Z"',
        ),
        ({"kind": "deploy", "received_at": "soon", "payload": {"id": "d"}}, 'deploy.received_at: expected a time with offset, got "soon"'),
        ({"kind": "deploy"}, "deploy.payload: missing"),
        ({"kind": "deploy", "payload": []}, "deploy.payload: expected an object, got []"),
        ({"payload": {}}, "kind: missing"),
        ({"kind": 5, "payload": {}}, "kind: expected a text, got 5"),
        ("[1]", "expected an object, got [1]"),
        ('{"kind": "incident", "payload": {', "not JSON: expected property name enclosed in double quotes at column 34"),
        ('{"kind": "incident" "payload": 1}', "not JSON: expected ',' at column 21"),
        ('{"kind": "x", "payload": {"a": NaN}}', "not JSON: unexpected character, expected a JSON value at column 32"),
    ],
)  # fmt: skip
def test_a_bad_line_is_refused_by_name(line: Line | str, expected: str) -> None:
    assert problems(line) == [f"line 2: {expected}"]


def test_parts_of_objects_may_be_unknown_or_null() -> None:
    links = [
        {"kind": "external", "id": None, "weight": None, "mood": 1},
        {"kind": "unknown", "by": "model", "probability": 0.7},
    ]

    reading = read(incident(causes=links, impact=[{"from_at": TEN, "to_at": None}]))
    payload = reading.facts[0].payload

    assert payload["causes"] == [{"kind": "external"}, {"kind": "unknown", "by": "model", "probability": 0.7}]
    assert payload["impact"] == [{"from_at": TEN}]
    assert str(reading.problems[0]) == ("line 1: warning: incident.causes.mood: unknown key, ignored")


def test_bytes_that_are_no_text() -> None:
    reading = read_history([b'{"kind": "\xff"}'])

    assert [str(problem) for problem in reading.problems] == ["line 1: not JSON: expected UTF-8"]


def test_unknown_things_are_ignored_with_a_warning() -> None:
    reading = read(
        {"kind": "service", "payload": {"service": "shop", "colour": "red"}, "mood": 1},
        {"kind": "telemetry", "payload": {"x": 1}},
        {"kind": "flag_change", "payload": {}},
        incident(mood="bad"),
    )

    assert [str(problem) for problem in reading.problems] == [
        "line 1: warning: mood: unknown key, ignored",
        "line 1: warning: service.colour: unknown key, ignored",
        "line 2: warning: telemetry: unknown kind, ignored",
        "line 3: warning: flag_change: unknown kind, ignored",
        "line 4: warning: incident.mood: unknown key, ignored",
    ]
    assert (reading.accepted_count, reading.refused_count) == (4, 0)
    assert "mood" not in reading.facts[1].payload


def test_every_key_that_is_wrong_is_named() -> None:
    assert problems(incident(degradation=2, title=1, services=None)) == [
        "line 2: incident.degradation: expected a number from 0 to 1, got 2",
        "line 2: incident.title: expected a text, got 1",
    ]


def test_undeclared_services_are_named_once() -> None:
    reading = read(incident(services=["shop", "api"]), deploy(), {"kind": "service", "payload": {"service": "api"}})

    assert [str(problem) for problem in reading.problems] == [
        'line 1: warning: incident.services: "shop" is not declared by a service line, defaults are used'
    ]


def test_values_are_kept_in_one_form() -> None:
    fact = read(deploy(id=7, finished_at=1772532600.5, live_at="2026-03-03T11:05:00+01:00")).facts[0]

    assert fact == Fact(
        "deploy",
        "7",
        {
            "id": "7",
            "service": "shop",
            "started_at": TEN,
            "finished_at": "2026-03-03T10:10:00.500000Z",
            "live_at": "2026-03-03T10:05:00Z",
        },
    )
    assert checked_payload("deploy", {"id": 7, "percent": "?", "url": "u"}) == {"id": "7", "percent": "?", "url": "u"}


def test_null_withdraws_and_leaves_the_record_sound() -> None:
    reading = read(incident(restored_at="2026-03-03T11:00:00Z"), incident(restored_at=None, title=None))

    assert reading.refused_count == 0
    assert problems(incident(), incident(services=None)) == ["line 3: incident.services: missing"]


def test_a_refused_line_leaves_the_record_as_it_was() -> None:
    reading = read(
        incident(),
        {"kind": "incident", "payload": {"id": "i", "restored_at": "2026-03-03T09:00:00Z", "title": "lost"}},
        {"kind": "incident", "payload": {"id": "i", "restored_at": "2026-03-03T11:00:00Z"}},
        {"kind": "incident", "payload": {"id": "i", "started_at": "2026-03-03T12:00:00Z"}},
    )

    assert (reading.accepted_count, reading.refused_count) == (2, 2)
    assert str(reading.problems[-1]) == (
        'line 4: incident.started_at: expected a time not after restored_at 2026-03-03T11:00:00Z, got "2026-03-03T12:00:00Z"'
    )


def test_lines_apply_in_order_of_arrival() -> None:
    late, early = incident(title="late"), {"kind": "incident", "payload": {"id": "i", "restored_at": TEN}}

    reading = read({**late, "received_at": TEN}, {**early, "received_at": "2026-03-03T09:00:00Z"})

    assert [str(problem) for problem in reading.problems if problem.severity == "error"] == [
        "line 2: incident.services: missing"
    ]


def test_a_flag_line_may_describe_and_change() -> None:
    line = {
        "kind": "flag",
        "payload": {
            "id": "f",
            "key": "k",
            "at": TEN,
            "new_percent": 5,
            "segment": {"plan": "pro"},
            "owner": "kim",
            "delivery_id": "x",
        },
    }

    facts = read(line).lines[0].facts

    assert [(fact.kind, fact.identity, fact.delivery_id) for fact in facts] == [
        ("flag_change", "f", "x"),
        ("flag", "production/k", None),
    ]
    assert [set(fact.payload) for fact in facts] == [
        {"id", "key", "at", "new_percent", "segment", "delivery_id"},
        {"key", "owner"},
    ]


def test_a_repeated_delivery_is_counted_and_ignored() -> None:
    reading = read(deploy(delivery_id="x"), deploy(delivery_id="x", release="2"), deploy(release="3"))

    assert (reading.accepted_count, reading.duplicate_count) == (2, 1)
    assert [fact.payload.get("release") for fact in reading.facts] == [None, "3"]


def test_a_refused_delivery_was_not_seen() -> None:
    reading = read(deploy(delivery_id="x", service=None), deploy(delivery_id="x"))

    assert (reading.accepted_count, reading.duplicate_count, reading.refused_count) == (1, 0, 1)


def test_evidence_is_told_apart_and_traffic_is_replaced() -> None:
    counts = {"service": "shop", "environment": "production", "at": TEN, "seconds": 900, "count": 5}
    probe = {"kind": "probe", "payload": {"service": "shop", "at": TEN, "ok": True}}
    reading = read(
        {"kind": "sessions", "received_at": TEN, "payload": counts},
        {"kind": "sessions", "received_at": "2026-03-03T12:00:00Z", "payload": {**counts, "count": 7}},
        probe,
        {**probe, "payload": {**probe["payload"], "ok": False}},
    )

    assert (reading.accepted_count, reading.duplicate_count, reading.facts) == (3, 1, [])
    assert [line["count"] for line in reading.traffic_known_by(datetime(2026, 3, 3, 11, tzinfo=UTC))] == [5]
    assert [line["count"] for line in reading.traffic_known_by(datetime(2026, 3, 3, 12, tzinfo=UTC))] == [7]
    assert reading.traffic_known_by(datetime(2026, 3, 3, 9, tzinfo=UTC)) == []


def test_another_version_refuses_the_file() -> None:
    reading = read({"kind": "history", "payload": {"version": 2}}, incident(), deploy())

    assert (reading.lines, reading.accepted_count, reading.refused_count) == ([], 0, 3)
    assert str(reading.problems[0]) == "line 1: history.version: expected one of 1, got 2"


def test_blank_lines_are_no_lines() -> None:
    assert read("", "  ", deploy()).lines_count == 1


def test_known_records_and_lines_count() -> None:
    class Known:
        def record(self, kind: str, identity: str) -> Record | None:
            return (
                {"id": identity, "services": ["shop"], "class": "downtime", "started_at": TEN}
                if kind != "service"
                else {}
            )

        def holds(self, facts: list[Fact]) -> bool:
            return facts[0].payload.get("title") == "known"

    lines = [
        {"id": "i", "title": "known"},
        {"id": "i", "restored_at": "2026-03-03T09:00:00Z"},
        {"id": "i", "title": "new"},
    ]
    raw = [json.dumps({"kind": "incident", "payload": payload}).encode() for payload in lines]

    reading = read_history(raw, Known())  # type: ignore[arg-type]  # a list stands for any sequence

    assert (reading.accepted_count, reading.duplicate_count, reading.refused_count) == (1, 1, 1)


def test_a_long_value_is_cut_in_the_message() -> None:
    assert len(problems(incident(started_at="x" * 500))[0]) < 200


def test_a_line_prints_with_sorted_keys() -> None:
    at = datetime(2026, 3, 3, 10, tzinfo=UTC)

    assert line_of("service", {"service": "a", "critical": True}, at) == (
        b'{"kind":"service","received_at":"2026-03-03T10:00:00Z","payload":{"critical":true,"service":"a"}}'
    )
    assert line_of("service", {}, None) == b'{"kind":"service","payload":{}}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(["incident", "deploy", "flag", "sessions", "objective", "history", "error", "x", None])
keys = st.sampled_from(["id", "services", "class", "started_at", "causes", "impact", "policy", "key", "at", "version"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(kinds, st.dictionaries(keys, json_values, max_size=5)), max_size=5))
def test_no_line_breaks_the_reader_and_every_line_is_accounted_for(lines: list[tuple[str | None, Line]]) -> None:
    raw = [json.dumps({"kind": kind, "payload": payload}).encode() for kind, payload in lines]

    reading = read_history(raw)

    assert reading.accepted_count + reading.duplicate_count + reading.refused_count == reading.lines_count == len(raw)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    reading = read_history([raw])

    assert reading.lines == []
