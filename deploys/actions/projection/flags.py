"""Facts of kind `flag`: descriptions of flags, and their changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from deploys import clock
from deploys.actions.catalog import environments_by_name, services_by_name
from deploys.actions.projection.rows import announce, clipped, differs, is_announced, rewrite
from deploys.domain.instants import optional_instant, parse_instant
from deploys.models import Change, Flag, FlagChange, Service, Team
from deploys.ports import Record
from deploys.queries.chunks import chunks

FlagKey: TypeAlias = tuple[int, str]
"""Environment and key."""

FLAG_COLUMNS: Final = [
    "is_permanent", "owner", "created_at", "expires_at", "last_evaluated_at", "is_evaluation_measured",
    "code_references", "archived_at",
]  # fmt: skip
CHANGE_COLUMNS: Final = ["flag", "old_percent", "new_percent", "segment", "has_services"]


def project_flags(team: Team, records: Sequence[Record]) -> None:
    """Writes flags and flag changes. A flag known only by its changes exists with nothing else known of it."""
    environments = environments_by_name(team=team, names=[_environment(record) for record in records], now=clock.now())
    keys = {record.identity: (environments[_environment(record)].pk, _key(record)) for record in records}
    flags = _flags(team, list(dict.fromkeys(keys.values())))
    descriptions = [record for record in records if not _is_change(record)]
    changed = [
        flags[keys[record.identity]]
        for record in descriptions
        if differs(flags[keys[record.identity]], _description(record.payload))
    ]
    rewrite(Flag, list(dict.fromkeys(changed)), FLAG_COLUMNS)
    changes = [record for record in records if _is_change(record)]
    _project_changes(team, changes, {record.identity: flags[keys[record.identity]] for record in changes})


def _is_change(record: Record) -> bool:
    return bool(json.loads(record.identity)[0] == "change")


def _environment(record: Record) -> str:
    return str(record.payload.get("environment") or "production")


def _key(record: Record) -> str:
    return str(record.payload["key"])[:200]


def _flags(team: Team, wanted: Sequence[FlagKey]) -> dict[FlagKey, Flag]:
    """These flags; missing ones are made."""
    known = _known_flags(team, wanted)
    missing = [each for each in wanted if each not in known]
    if missing:
        Flag.objects.bulk_create(
            [Flag(team=team, environment_id=environment, key=key) for environment, key in missing],
            batch_size=500,
            ignore_conflicts=True,
        )
        known.update(_known_flags(team, missing))
    return known


def _known_flags(team: Team, wanted: Sequence[FlagKey]) -> dict[FlagKey, Flag]:
    names = list({key for _, key in wanted})
    return {
        (row.environment_id, row.key): row
        for some in chunks(names)
        for row in Flag.objects.filter(team=team, key__in=some)
    }


def _description(payload: Any) -> dict[str, Any]:  # Any: JSON and column values
    return {
        "is_permanent": payload.get("kind") == "permanent",
        "owner": clipped(payload.get("owner"), 200),
        "created_at": optional_instant(payload.get("created_at")),
        "expires_at": optional_instant(payload.get("expires_at")),
        "last_evaluated_at": optional_instant(payload.get("last_evaluated_at")),
        "is_evaluation_measured": "last_evaluated_at" in payload,
        "code_references": payload.get("code_references"),
        "archived_at": optional_instant(payload.get("archived_at")),
    }


def _project_changes(team: Team, records: Sequence[Record], flags: dict[str, Flag]) -> None:
    existing = _existing(team, records)
    services = services_by_name(
        team=team, names=[name for record in records for name in _services(record)], now=clock.now()
    )
    new: list[FlagChange] = []
    changed: list[FlagChange] = []
    moved: list[Change] = []
    rows: list[tuple[Record, FlagChange]] = []
    for record in records:
        flag = flags[record.identity]
        values = _change_values(record, flag)
        at = {"at": parse_instant(record.payload["at"]), "environment_id": flag.environment_id}
        row = existing.get((record.source, str(record.payload["id"])))
        if row is None:
            row = FlagChange(team=team, source=record.source, external_id=str(record.payload["id"]), **values)
            row.change = Change(team=team, kind=Change.Kind.FLAG, **at)
            new.append(row)
        else:
            is_moved = differs(row.change, at)
            if is_moved:
                moved.append(row.change)
            if differs(row, values):
                changed.append(row)
            elif not is_moved:
                continue
        rows.append((record, row))
    Change.objects.bulk_create([row.change for row in new], batch_size=500)
    for row in new:
        row.change = row.change
    FlagChange.objects.bulk_create(new, batch_size=500)
    rewrite(Change, moved, ["at", "environment"])
    rewrite(FlagChange, changed, CHANGE_COLUMNS)
    _name_services({row.pk: [services[name] for name in _services(record)] for record, row in rows})
    announce(team, (row.change_id for record, row in rows if is_announced(record)))


def _existing(team: Team, records: Sequence[Record]) -> dict[tuple[str, str], FlagChange]:
    by_source: dict[str, list[str]] = {}
    for record in records:
        by_source.setdefault(record.source, []).append(str(record.payload["id"]))
    return {
        (source, row.external_id): row
        for source, ids in by_source.items()
        for some in chunks(ids)
        for row in FlagChange.objects.filter(team=team, source=source, external_id__in=some).select_related("change")
    }


def _services(record: Record) -> list[str]:
    named = record.payload.get("services")
    return list(dict.fromkeys(str(each) for each in named)) if isinstance(named, list) else []


def _change_values(record: Record, flag: Flag) -> dict[str, Any]:  # Any: column values
    payload = record.payload
    segment = payload.get("segment")
    return {
        "flag_id": flag.pk,
        "old_percent": payload.get("old_percent"),
        "new_percent": payload["new_percent"],
        "segment": segment if isinstance(segment, dict) else None,
        "has_services": isinstance(payload.get("services"), list),
    }


def _name_services(wanted: dict[int, list[Service]]) -> None:
    """The services of these flag changes are exactly these."""
    through = FlagChange.services.through
    stated = {(pk, service.pk) for pk, services in wanted.items() for service in services}
    existing: dict[tuple[int, int], int] = {}
    for some in chunks(list(wanted)):
        rows = through._default_manager.filter(flagchange_id__in=some)
        existing.update(
            ((change, service), pk) for pk, change, service in rows.values_list("id", "flagchange_id", "service_id")
        )
    gone = [pk for pair, pk in existing.items() if pair not in stated]
    if gone:
        through._default_manager.filter(pk__in=gone).delete()
    through._default_manager.bulk_create(
        [through(flagchange_id=change, service_id=service) for change, service in sorted(stated - existing.keys())],
        batch_size=500,
    )
