"""Facts of kind `deploy`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from deploys import clock
from deploys.actions.catalog import environments_by_name, services_by_name
from deploys.actions.facts import HISTORY
from deploys.actions.listing import refresh_after_commit
from deploys.actions.projection.commits import resolve_waiting_commits
from deploys.actions.projection.rows import announce, clipped, differs, is_announced, rewrite
from deploys.domain.instants import optional_instant
from deploys.domain.records import CANARY_PERCENT
from deploys.models import Artifact, Change, Deploy, Release, Service, Team
from deploys.ports import Record
from deploys.queries.chunks import chunks
from deploys.queries.prepared import Prepared, PreparedRows

Key: TypeAlias = tuple[str, int | None, str]
"""Source, service, external id; no service for the source `history`, whose ids are unique without it."""

CHANGE_COLUMNS: Final = ["environment", "service", "at"]
_imported: Final = PreparedRows(
    lambda team, names: Deploy.objects.filter(team=team, source=HISTORY, external_id__among=names).select_related("change"),
    team=-101, names=["(name)"],
)  # fmt: skip
_told: Final = PreparedRows(
    lambda team, source, services, names: Deploy.objects.filter(
        team=team, source=source, service_id__among=services, external_id__among=names
    ).select_related("change"),
    team=-101, source="(source)", services=[-102], names=["(name)"],
)  # fmt: skip
_named_releases: Final = Prepared(
    lambda services, names: Release.objects.filter(service_id__among=services, version__among=names).values(
        "service", "version", "pk"
    ),
    services=[-102], names=["(name)"],
)  # fmt: skip
DEPLOY_COLUMNS: Final = [
    "service", "environment", "status", "started_at", "finished_at", "live_at", "release", "artifact", "kind_stated",
    "commit_sha", "strategy", "percent", "has_canary_step", "files", "description", "url", "first_received_at",
    "outcome_listed",
]  # fmt: skip


def project_deploys(team: Team, records: Sequence[Record]) -> None:
    """Writes deploys with their changes, releases and artifacts, and links commits that waited for them."""
    now = clock.now()
    services = services_by_name(team=team, names=[_service(record) for record in records], now=now)
    environments = environments_by_name(team=team, names=[_environment(record) for record in records], now=now)
    releases = _releases(records, services)
    artifacts = _artifacts(team, records)
    existing = _existing(team, records, services)
    new: list[Deploy] = []
    changed: list[Deploy] = []
    moved: list[Change] = []
    announced: list[Deploy] = []
    for record in records:
        service, environment = services[_service(record)], environments[_environment(record)]
        values = _values(record)
        values["service_id"], values["environment_id"] = service.pk, environment.pk
        values["release_id"] = releases.get((service.pk, clipped(record.payload.get("release"), 250)))
        values["artifact_id"] = artifacts.get(clipped(record.payload.get("artifact"), 250))
        deploy = existing.get(_key(record, service))
        if deploy is None:
            deploy = Deploy(team=team, source=record.source, external_id=_external_id(record), **values)
            deploy.change = Change(team=team, kind=Change.Kind.DEPLOY)
            differs(deploy.change, _change_values(deploy))
            new.append(deploy)
        elif differs(deploy, values):
            deploy.outcome_listed = ""  # waits to be listed, also should this process die after the commit
            changed.append(deploy)
            if differs(deploy.change, _change_values(deploy)):
                moved.append(deploy.change)
        else:
            continue
        if is_announced(record):
            announced.append(deploy)
    Change.objects.bulk_create([deploy.change for deploy in new], batch_size=500)
    for deploy in new:
        deploy.change = deploy.change
    Deploy.objects.bulk_create(new, batch_size=200)
    rewrite(Change, moved, CHANGE_COLUMNS)
    rewrite(Deploy, changed, DEPLOY_COLUMNS)
    resolve_waiting_commits(team, new)
    refresh_after_commit([*new, *changed], made=new)
    announce(team, (deploy.change_id for deploy in announced))


def _service(record: Record) -> str:
    return str(record.payload["service"])


def _environment(record: Record) -> str:
    return str(record.payload.get("environment") or "production")


def _external_id(record: Record) -> str:
    return str(record.payload["id"])


def _key(record: Record, service: Service) -> Key:
    return record.source, None if record.source == HISTORY else service.pk, _external_id(record)


def _existing(team: Team, records: Sequence[Record], services: dict[str, Service]) -> dict[Key, Deploy]:
    """The rows of these records, with their changes. One query for each source, and one for an imported history."""
    by_source: dict[str, list[tuple[int | None, str]]] = {}
    for record in records:
        source, service_id, external_id = _key(record, services[_service(record)])
        by_source.setdefault(source, []).append((service_id, external_id))
    found: dict[Key, Deploy] = {}
    for source, keys in by_source.items():
        names = sorted({external_id for _, external_id in keys})
        if source == HISTORY:
            rows = _imported(team=team.pk, names=names)
        else:
            owners = sorted({service_id for service_id, _ in keys if service_id is not None})
            rows = _told(team=team.pk, source=source, services=owners, names=names)
        for row in rows:
            found[source, None if source == HISTORY else row.service_id, row.external_id] = row
    return found


def _values(record: Record) -> dict[str, Any]:  # Any: column values
    """What the record says in so many words. A start that was withdrawn falls back to the end, then to the first word."""
    payload = record.payload
    finished_at, live_at = optional_instant(payload.get("finished_at")), optional_instant(payload.get("live_at"))
    started_at = optional_instant(payload.get("started_at"))
    files, canary_percent = payload.get("files"), payload.get(CANARY_PERCENT)
    return {
        "status": payload.get("status") or Deploy.Status.IN_PROGRESS,
        "started_at": started_at or finished_at or live_at or record.first_received_at or clock.now(),
        "finished_at": finished_at,
        "live_at": live_at,
        "commit_sha": clipped(payload.get("commit"), 64),
        "kind_stated": clipped(payload.get("kind"), 10),
        "strategy": clipped(payload.get("strategy"), 40),
        "percent": payload.get("percent"),
        "has_canary_step": isinstance(canary_percent, int | float) and canary_percent > 0,
        "files": files if isinstance(files, list) else None,
        "description": clipped(payload.get("description"), 20_000),
        "url": _web_address(payload.get("url")),
        "first_received_at": record.first_received_at,
    }


def _web_address(value: object) -> str:
    """Only http and https: the page makes a link of it."""
    address = clipped(value, 501)
    return address if address.startswith(("https://", "http://")) and len(address) <= 500 else ""


def _change_values(deploy: Deploy) -> dict[str, Any]:  # Any: column values
    return {"environment_id": deploy.environment_id, "service_id": deploy.service_id, "at": deploy.started_at}


def _releases(records: Sequence[Record], services: dict[str, Service]) -> dict[tuple[int, str], int]:
    """The ids of all releases named, by service and version; missing ones are made."""
    first_seen: dict[tuple[int, str], dt.datetime] = {}
    for record in records:
        version = clipped(record.payload.get("release"), 250)
        if version:
            at = optional_instant(record.payload.get("started_at")) or record.first_received_at or clock.now()
            first_seen.setdefault((services[_service(record)].pk, version), at)
    known = _known_releases(first_seen)
    missing = [each for each in first_seen if each not in known]
    if missing:
        Release.objects.bulk_create(
            [Release(service_id=pk, version=version, created_at=first_seen[pk, version]) for pk, version in missing],
            batch_size=500,
            ignore_conflicts=True,
        )
        known.update(_known_releases(missing))
    return known


def _known_releases(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """One query, of whatever services; what it finds of others' is left out."""
    pairs = set(wanted)
    if not pairs:
        return {}
    services, versions = sorted({pk for pk, _ in pairs}), sorted({version for _, version in pairs})
    return {
        (row["service"], row["version"]): row["pk"]
        for row in _named_releases(services=services, names=versions)
        if (row["service"], row["version"]) in pairs
    }


def _artifacts(team: Team, records: Sequence[Record]) -> dict[str, int]:
    """The ids of all artifacts named, by digest; missing ones are made."""
    named = dict.fromkeys(clipped(record.payload.get("artifact"), 250) for record in records)
    digests = [digest for digest in named if digest]
    known = _known_artifacts(team, digests)
    missing = [digest for digest in digests if digest not in known]
    if missing:
        Artifact.objects.bulk_create(
            [Artifact(team=team, digest=digest) for digest in missing], batch_size=500, ignore_conflicts=True
        )
        known.update(_known_artifacts(team, missing))
    return known


def _known_artifacts(team: Team, digests: Sequence[str]) -> dict[str, int]:
    return {
        digest: pk
        for some in chunks(digests)
        for digest, pk in Artifact.objects.filter(team=team, digest__in=some).values_list("digest", "id")
    }
