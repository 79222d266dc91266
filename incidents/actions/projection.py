"""Incidents as their facts tell them: facts of kind `incident` fold into rows here, and nowhere else."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from django.db.models import Max, Model

from deploys.actions.catalog import environments_by_name, services_by_name
from deploys.actions.listing import refresh_changes
from deploys.models import Environment, Service, Team
from deploys.ports import Record
from incidents.domain.incident_record import CHANGE_KINDS, CauseClaim, IncidentRecord, RemedyClaim, read_incident
from incidents.models import Cause, ImpactSpell, Incident, IncidentService, Remedy
from incidents.queries.references import CHUNK, changes_referred

#: An imported id of this form keeps its number, so that people find their incident under the name they know.
KNOWN_NUMBER = re.compile(r"INC-([1-9]\d{0,6})", re.IGNORECASE)
COLUMNS = (
    "environment_id", "title", "impact_class", "degradation", "started_at", "detected_at", "acknowledged_at",
    "mitigated_at", "restored_at", "begins_at", "is_dismissed", "duplicate_of_reference", "detected_by", "person_keys",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One record about to be written."""

    key: tuple[str, str]
    record: IncidentRecord
    source: Record


def project_incidents(team: Team, records: Sequence[Record]) -> None:
    """Brings the rows of these incidents up to date. Idempotent; about a dozen queries for each 500 records.

    Columns that are measured or kept beside the facts (counts, due times, lead, closed) stay as they are.
    """
    for start in range(0, len(records), CHUNK):
        _project(team, records[start : start + CHUNK])


def _project(team: Team, records: Sequence[Record]) -> None:
    told = [Told(key=_key(record), record=read_incident(record.payload), source=record) for record in records]
    if not told:
        return
    now = max(each.record.begins_at for each in told)
    services = services_by_name(team=team, names=[name for each in told for name in each.record.services], now=now)
    environments = environments_by_name(team=team, names=[each.record.environment for each in told], now=now)
    rows, moved = _write_incidents(team, told, environments)
    moved |= _write_duplicates(team, rows)
    _write_services(told, rows, services)
    _write_spells(told, rows)
    _write_claims(team, told, rows, moved)


def _key(record: Record) -> tuple[str, str]:
    source, external_id = json.loads(record.identity)
    return source, external_id


def _columns(each: Told, environments: Mapping[str, Environment]) -> dict[str, Any]:  # Any: one value per column
    record = each.record
    return {
        "environment_id": environments[record.environment].pk,
        "title": record.title[:300],
        "impact_class": record.impact_class,
        "degradation": record.degradation,
        "started_at": record.started_at,
        "detected_at": record.detected_at,
        "acknowledged_at": record.acknowledged_at,
        "mitigated_at": record.mitigated_at,
        "restored_at": record.restored_at,
        "begins_at": record.begins_at,
        "is_dismissed": record.is_dismissed,
        "duplicate_of_reference": record.duplicate_of[:200],
        "detected_by": record.detected_by[:100],
        "person_keys": sorted(each.source.person_keys - {"id"}),
    }


def _write_incidents(
    team: Team, told: Sequence[Told], environments: Mapping[str, Environment]
) -> tuple[dict[tuple[str, str], Incident], set[int]]:
    """The rows of these records, made or changed, by (source, external id); and the keys of those that are not as before."""
    wanted = {each.key for each in told}
    known = Incident.objects.filter(team=team, external_id__in=[external_id for _, external_id in wanted])
    rows = {(row.source, row.external_id): row for row in known if (row.source, row.external_id) in wanted}
    new, changed = [], []
    for each in told:
        columns = _columns(each, environments)
        row = rows.get(each.key)
        if row is None:
            source, external_id = each.key
            created_at = each.source.first_received_at or each.record.begins_at
            row = Incident(team=team, source=source, external_id=external_id, created_at=created_at, **columns)
            new.append(row)
        elif any(getattr(row, name) != value for name, value in columns.items()):
            for name, value in columns.items():
                setattr(row, name, value)
            changed.append(row)
        rows[each.key] = row
    _number(team, new)
    Incident.objects.bulk_create(new, batch_size=CHUNK)
    Incident.objects.bulk_update(changed, COLUMNS, batch_size=50)
    return rows, {row.pk for row in (*new, *changed)}


def _number(team: Team, new: Sequence[Incident]) -> None:
    """Gives new incidents the numbers people will call them by. The team's row is the lock on its sequence."""
    if not new:
        return
    Team.objects.select_for_update().get(pk=team.pk)
    asked = [(row, int(match[1])) for row in new if (match := KNOWN_NUMBER.fullmatch(row.external_id)) is not None]
    wanted = [number for _, number in asked]
    taken = set(Incident.objects.filter(team=team, number__in=wanted).values_list("number", flat=True))
    numbered: set[tuple[str, str]] = set()
    for row, number in asked:
        if number not in taken:
            row.number = number
            taken.add(number)
            numbered.add((row.source, row.external_id))
    last = max(taken | {Incident.objects.filter(team=team).aggregate(last=Max("number"))["last"] or 0})
    for row in new:
        if (row.source, row.external_id) not in numbered:
            last += 1
            row.number = last


def _write_duplicates(team: Team, rows: Mapping[tuple[str, str], Incident]) -> set[int]:
    """Links incidents to those they repeat: both these rows and others that waited for one of these. Keys of changed ones."""
    waiting = Incident.objects.filter(team=team, duplicate_of=None).exclude(duplicate_of_reference="")
    ours = [row for row in rows.values() if row.duplicate_of_reference or row.duplicate_of_id]
    arrived = [external_id for _, external_id in rows]
    both = {row.pk: row for row in [*ours, *waiting.filter(duplicate_of_reference__in=arrived)]}
    references = {row.duplicate_of_reference for row in both.values()} - {""}
    if not both:
        return set()
    targets = Incident.objects.filter(team=team, external_id__in=references).values_list("source", "external_id", "pk")
    by_key = {(source, external_id): pk for source, external_id, pk in targets}
    relinked = []
    for row in both.values():
        target = by_key.get((row.source, row.duplicate_of_reference))
        if target is None:
            target = next((pk for (_, name), pk in by_key.items() if name == row.duplicate_of_reference), None)
        target = None if target == row.pk else target
        if row.duplicate_of_id != target:
            row.duplicate_of_id = target
            relinked.append(row)
    Incident.objects.bulk_update(relinked, ["duplicate_of"], batch_size=CHUNK)
    return {row.pk for row in relinked}


def _replace(
    model: type[Model], fields: Sequence[str], desired: Mapping[int, Sequence[tuple[Any, ...]]]
) -> set[int]:  # Any: column values
    """Makes each incident's children equal to the tuples given, in their order; unchanged ones keep their rows.

    Returns the keys of the incidents whose children changed.
    """
    manager = model._default_manager
    present: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for incident_id, *values in manager.filter(incident__in=desired).order_by("id").values_list("incident_id", *fields):
        present[incident_id].append(tuple(values))
    differing = [incident_id for incident_id, values in desired.items() if present[incident_id] != list(values)]
    if not differing:
        return set()
    manager.filter(incident__in=differing).delete()
    manager.bulk_create(
        [
            model(incident_id=incident_id, **dict(zip(fields, values, strict=True)))
            for incident_id in differing
            for values in desired[incident_id]
        ],
        batch_size=CHUNK,
    )
    return set(differing)


def _write_services(
    told: Sequence[Told], rows: Mapping[tuple[str, str], Incident], services: Mapping[str, Service]
) -> None:
    desired = {
        rows[each.key].pk: [(services[name].pk, position) for position, name in enumerate(each.record.services)]
        for each in told
    }
    _replace(IncidentService, ("service_id", "position"), desired)


def _write_spells(told: Sequence[Told], rows: Mapping[tuple[str, str], Incident]) -> None:
    desired = {rows[each.key].pk: [astuple(spell) for spell in each.record.impact] for each in told}
    _replace(ImpactSpell, ("from_at", "to_at", "degradation"), desired)


def _write_claims(team: Team, told: Sequence[Told], rows: Mapping[tuple[str, str], Incident], moved: set[int]) -> None:
    """Causes and remedies. A change not yet known leaves its id; `resolve_pending` finds it later.

    What an incident says of a deploy bears on how deploys are listed: lists of those linked to an incident that is not
    as before (`moved`, or its links changed) are made anew after commit.
    """
    claims: list[CauseClaim | RemedyClaim] = []
    for each in told:
        claims += [*each.record.causes, *each.record.remedies]
    changes = changes_referred(
        team=team,
        references=[
            (claim.kind, claim.reference) for claim in claims if claim.kind in CHANGE_KINDS and claim.reference
        ],
    )
    causes, remedies = {}, {}
    for each in told:
        incident_id = rows[each.key].pk
        causes[incident_id] = [
            (
                claim.kind, changes.get((claim.kind, claim.reference)), claim.reference[:200], claim.weight, claim.status,
                claim.by, claim.probability,
            )
            for claim in each.record.causes
        ]  # fmt: skip
        remedies[incident_id] = [
            (claim.kind, changes.get((claim.kind, claim.reference)), claim.reference[:200])
            for claim in each.record.remedies
        ]
    before = _linked_changes(causes)
    moved |= _replace(Cause, ("kind", "change_id", "external_id", "weight", "status", "by", "probability"), causes)
    moved |= _replace(Remedy, ("kind", "change_id", "external_id"), remedies)
    both = (before, _linked_changes(moved & causes.keys()))
    refresh_changes({change for links in both for incident, change in links if incident in moved})


def _linked_changes(incidents: Iterable[int]) -> set[tuple[int, int]]:
    """(incident, change) of every cause and remedy."""
    found: set[tuple[int, int]] = set()
    keys = list(incidents)
    for model in (Cause, Remedy):
        links = model._default_manager.filter(incident__in=keys, change__isnull=False)
        found.update(links.values_list("incident_id", "change_id"))
    return found


def resolve_pending(*, team: Team) -> set[int]:
    """Finds the changes that causes and remedies name and that were not known when those were told.

    Returns the ids of the incidents it changed. Two queries when nothing waits.
    """
    touched: set[int] = set()
    for model in (Cause, Remedy):
        touched |= _resolve(team, model)
    return touched


def _resolve(team: Team, model: type[Cause] | type[Remedy]) -> set[int]:
    manager: Any = model._default_manager  # Any: either table
    waiting: Iterable[Any] = list(
        manager.filter(incident__team=team, change=None, kind__in=CHANGE_KINDS).exclude(external_id="")
    )
    changes = changes_referred(team=team, references=[(row.kind, row.external_id) for row in waiting])
    found = [row for row in waiting if (row.kind, row.external_id) in changes]
    for row in found:
        row.change_id = changes[row.kind, row.external_id]
    manager.bulk_update(found, ["change"], batch_size=CHUNK)
    refresh_changes({row.change_id for row in found})
    return {row.incident_id for row in found}
