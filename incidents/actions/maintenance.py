"""Planned work and unwatched times as their facts tell them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deploys.actions.catalog import environments_by_name, services_by_name
from deploys.domain.instants import optional_instant, parse_instant
from deploys.models import Service, Team
from deploys.ports import Record
from incidents.models import Maintenance, MonitoringGap

Columns = dict[str, Any]  # Any: one value per column


def project_maintenance(team: Team, records: Sequence[Record]) -> None:
    """Brings the rows of these maintenance slots up to date. Idempotent."""
    payloads = [record.payload for record in records]
    names = [str(payload.get("environment") or "production") for payload in payloads]
    times = [parse_instant(payload["starts_at"]) for payload in payloads]
    environments = environments_by_name(team=team, names=names, now=max(times)) if names else {}

    def columns(payload: Mapping[str, Any]) -> Columns:
        return {
            "environment": environments[str(payload.get("environment") or "production")],
            "title": str(payload.get("title") or "")[:300],
            "starts_at": parse_instant(payload["starts_at"]),
            "ends_at": parse_instant(payload["ends_at"]),
            "announced_at": optional_instant(payload.get("announced_at")),
            "is_for_all_services": payload.get("services") is None,
            "excused_by": str(payload.get("excused_by") or "")[:200],
            "is_cancelled": bool(payload.get("cancelled")),
        }

    _project(Maintenance, team, records, columns)


def project_monitoring_gaps(team: Team, records: Sequence[Record]) -> None:
    """Brings the rows of these gaps up to date. Idempotent."""

    def columns(payload: Mapping[str, Any]) -> Columns:
        return {
            "starts_at": parse_instant(payload["starts_at"]),
            "ends_at": optional_instant(payload.get("ends_at")),
            "is_for_all_services": payload.get("services") is None,
            "reason": str(payload.get("reason") or "")[:300],
        }

    _project(MonitoringGap, team, records, columns)


def _project(
    model: type[Maintenance] | type[MonitoringGap],
    team: Team,
    records: Sequence[Record],
    columns: Callable[[Mapping[str, Any]], Columns],
) -> None:
    """Writes one row per record and the services it names; three or four queries for each record."""
    if not records:
        return
    named = {name for record in records for name in record.payload.get("services") or ()}
    first = min(parse_instant(record.payload["starts_at"]) for record in records)
    services: Mapping[str, Service] = services_by_name(team=team, names=sorted(named), now=first)
    manager: Any = model._default_manager  # Any: either table
    for record in records:
        source, external_id = json.loads(record.identity)
        row, _ = manager.update_or_create(
            team=team, source=source, external_id=external_id, defaults=columns(record.payload)
        )
        row.services.set([services[name] for name in record.payload.get("services") or ()])
