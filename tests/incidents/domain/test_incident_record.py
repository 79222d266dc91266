"""What is read from the folded facts of an incident."""

from __future__ import annotations

import datetime as dt

import pytest

from incidents.domain.incident_record import (
    CauseClaim,
    IncidentRecord,
    NoStart,
    RemedyClaim,
    Spell,
    read_incident,
)


def at(hour: int) -> dt.datetime:
    return dt.datetime(2026, 3, 4, hour, tzinfo=dt.UTC)


def text(hour: int) -> str:
    return f"2026-03-04T{hour:02d}:00:00Z"


def test_the_least_incident_has_a_detection_a_class_and_services() -> None:
    payload = {"services": ["shop", "db", "shop"], "class": "outage", "detected_at": text(9)}

    assert read_incident(payload) == IncidentRecord(
        services=("shop", "db"), impact_class="outage", environment="production", title="", begins_at=at(9), started_at=None,
        detected_at=at(9), acknowledged_at=None, mitigated_at=None, restored_at=None, degradation=None, impact=(), causes=(),
        remedies=(), is_dismissed=False, duplicate_of="", detected_by="person",
    )  # fmt: skip


def test_everything_told_is_kept() -> None:
    payload = {
        "services": ["shop"], "class": "degraded", "environment": "staging", "title": "Slow carts", "started_at": text(8),
        "detected_at": text(9), "acknowledged_at": text(10), "mitigated_at": text(11), "restored_at": text(12),
        "degradation": 0.4, "impact": [{"from_at": text(8), "to_at": text(9), "degradation": 0.2}, {"from_at": text(10)}],
        "causes": [
            {"kind": "deploy", "id": 17, "weight": 0.5, "status": "suggested", "by": "model", "probability": 0.7},
            {"kind": "external"},
        ],
        "remedies": [{"kind": "flag", "id": "f1"}, {"kind": "other"}], "dismissed": True, "duplicate_of": 4,
        "detected_by": "monitor",
    }  # fmt: skip

    assert read_incident(payload) == IncidentRecord(
        services=("shop",), impact_class="degraded", environment="staging", title="Slow carts", begins_at=at(8),
        started_at=at(8), detected_at=at(9), acknowledged_at=at(10), mitigated_at=at(11), restored_at=at(12), degradation=0.4,
        impact=(Spell(at(8), at(9), 0.2), Spell(at(10), None, None)),
        causes=(
            CauseClaim("deploy", "17", 0.5, "suggested", "model", 0.7),
            CauseClaim("external", "", None, "confirmed", "person", None),
        ),
        remedies=(RemedyClaim("flag", "f1"), RemedyClaim("other", "")), is_dismissed=True, duplicate_of="4",
        detected_by="monitor",
    )  # fmt: skip


def test_an_incident_without_start_and_detection_is_refused() -> None:
    with pytest.raises(NoStart) as refused:
        read_incident({"id": "i7", "services": ["shop"], "class": "outage", "restored_at": text(12)})

    assert str(refused.value) == "incident i7: expected started_at or detected_at"
