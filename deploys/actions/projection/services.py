"""Facts of kind `service`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deploys import clock
from deploys.actions.catalog import services_by_name
from deploys.actions.projection.rows import differs
from deploys.domain.instants import optional_instant
from deploys.models import Dependency, Service, Team
from deploys.ports import Record
from deploys.queries.chunks import chunks

COLUMNS = ["is_declared", "is_critical", "is_probed", "users_count", "hosts", "born_at", "retired_at"]


def project_services(team: Team, records: Sequence[Record]) -> None:
    """Writes services and their declared dependencies. Learned dependencies stay."""
    names = [str(record.payload["service"]) for record in records]
    wanted = {name: _depended_on(name, record) for name, record in zip(names, records, strict=True)}
    everyone = [*names, *(each for others in wanted.values() for each in others)]
    services = services_by_name(team=team, names=everyone, now=clock.now())
    changed = [
        services[name]
        for name, record in zip(names, records, strict=True)
        if differs(services[name], _values(record.payload))
    ]
    for some in chunks(changed, 100):
        Service.objects.bulk_update(some, COLUMNS)
    _write_dependencies({services[name]: [services[each] for each in others] for name, others in wanted.items()})


def _depended_on(name: str, record: Record) -> list[str]:
    others = record.payload.get("depends_on")
    return [str(each) for each in others if str(each) != name] if isinstance(others, list) else []


def _values(payload: Any) -> dict[str, Any]:  # Any: JSON
    born_at, retired_at = optional_instant(payload.get("born_at")), optional_instant(payload.get("retired_at"))
    hosts = payload.get("hosts")
    return {
        "is_declared": True,
        "is_critical": payload.get("critical") is not False,
        "is_probed": payload.get("probed") is True,
        "users_count": payload.get("users"),
        "hosts": [str(each) for each in hosts] if isinstance(hosts, list) else [],
        "born_at": born_at,
        "retired_at": retired_at if retired_at is None or born_at is None else max(born_at, retired_at),
    }


def _write_dependencies(wanted: dict[Service, list[Service]]) -> None:
    """The declared dependencies of these services are exactly these; a learned one that is declared becomes declared."""
    existing = {(each.service_id, each.depends_on_id): each for each in _dependencies_of(list(wanted))}
    stated = {(service.pk, other.pk) for service, others in wanted.items() for other in others}
    declared, learned = Dependency.Origin.DECLARED, Dependency.Origin.LEARNED
    gone = [row.pk for pair, row in existing.items() if row.origin == declared and pair not in stated]
    risen = [row.pk for pair, row in existing.items() if row.origin == learned and pair in stated]
    if gone:
        Dependency.objects.filter(pk__in=gone).delete()
    if risen:
        Dependency.objects.filter(pk__in=risen).update(origin=declared)
    Dependency.objects.bulk_create(
        [Dependency(service_id=service, depends_on_id=other) for service, other in sorted(stated - existing.keys())],
        ignore_conflicts=True,
    )


def _dependencies_of(services: list[Service]) -> list[Dependency]:
    return [row for some in chunks(services) for row in Dependency.objects.filter(service__in=some)]
