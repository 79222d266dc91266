"""What the folded facts of one incident say, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploys.domain.instants import optional_instant, parse_instant

CLOCKS = ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "restored_at")
CHANGE_KINDS = ("deploy", "flag")


class NoStart(ValueError):
    """Raised for an incident that has neither a start nor a time of detection."""


@dataclass(frozen=True, slots=True)
class Spell:
    """One time of impact, [from_at, to_at); `to_at` None lasts on."""

    from_at: datetime
    to_at: datetime | None
    degradation: float | None


@dataclass(frozen=True, slots=True)
class CauseClaim:
    """What is said to have caused it. `reference` names a deploy or flag change by public or external id."""

    kind: str
    reference: str
    weight: float | None
    status: str
    by: str
    probability: float | None


@dataclass(frozen=True, slots=True)
class RemedyClaim:
    """What is said to have ended it."""

    kind: str
    reference: str


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """One incident as its facts tell it. `begins_at` is the start, or the detection where nobody knows the start."""

    services: tuple[str, ...]
    impact_class: str
    environment: str
    title: str
    begins_at: datetime
    started_at: datetime | None
    detected_at: datetime | None
    acknowledged_at: datetime | None
    mitigated_at: datetime | None
    restored_at: datetime | None
    degradation: float | None
    impact: tuple[Spell, ...]
    causes: tuple[CauseClaim, ...]
    remedies: tuple[RemedyClaim, ...]
    is_dismissed: bool
    duplicate_of: str
    detected_by: str


def read_incident(payload: Mapping[str, Any]) -> IncidentRecord:  # Any: JSON
    """The record in a folded payload. Raises KeyError for a missing required key, NoStart without a start,
    NotAnInstant for a time that is none. A service named twice counts once; order is kept.
    """
    started_at, detected_at, acknowledged_at, mitigated_at, restored_at = (
        optional_instant(payload.get(clock)) for clock in CLOCKS
    )
    begins_at = started_at or detected_at
    if begins_at is None:
        raise NoStart(f"incident {payload.get('id')}: expected started_at or detected_at")
    return IncidentRecord(
        services=tuple(dict.fromkeys(str(name) for name in payload["services"])),
        impact_class=str(payload["class"]),
        environment=str(payload.get("environment") or "production"),
        title=str(payload.get("title") or ""),
        begins_at=begins_at,
        started_at=started_at,
        detected_at=detected_at,
        acknowledged_at=acknowledged_at,
        mitigated_at=mitigated_at,
        restored_at=restored_at,
        degradation=payload.get("degradation"),
        impact=tuple(_spell(each) for each in payload.get("impact") or ()),
        causes=tuple(_cause(each) for each in payload.get("causes") or ()),
        remedies=tuple(
            RemedyClaim(kind=str(each["kind"]), reference=_text(each.get("id")))
            for each in payload.get("remedies") or ()
        ),
        is_dismissed=bool(payload.get("dismissed")),
        duplicate_of=_text(payload.get("duplicate_of")),
        detected_by=str(payload.get("detected_by") or "person"),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _spell(spell: Mapping[str, Any]) -> Spell:  # Any: JSON
    return Spell(
        from_at=parse_instant(spell["from_at"]),
        to_at=optional_instant(spell.get("to_at")),
        degradation=spell.get("degradation"),
    )


def _cause(cause: Mapping[str, Any]) -> CauseClaim:  # Any: JSON
    return CauseClaim(
        kind=str(cause["kind"]),
        reference=_text(cause.get("id")),
        weight=cause.get("weight"),
        status=str(cause.get("status") or "confirmed"),
        by=str(cause.get("by") or "person"),
        probability=cause.get("probability"),
    )
