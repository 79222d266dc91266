"""Facts of kind `change`: commits, and which deploys contained them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from deploys import clock
from deploys.actions.catalog import services_by_name
from deploys.actions.facts import HISTORY
from deploys.actions.inserts import insert_rows
from deploys.actions.projection.rows import clipped, differs, rewrite
from deploys.domain.instants import optional_instant
from deploys.models import Commit, CommitDeploy, Deploy, Team
from deploys.ports import Record
from deploys.queries.chunks import chunks
from deploys.queries.prepared import Prepared

_waiting: Final = Prepared(
    lambda team, names: CommitDeploy.objects.filter(team=team, deploy__isnull=True, reference__among=names).values(
        "pk", "reference"
    ),
    team=-101, names=["(name)"],
)  # fmt: skip
COLUMNS = ["committed_at", "author", "title", "service"]


def project_commits(team: Team, records: Sequence[Record]) -> None:
    """Writes commits and their links to deploys. A deploy not yet known is remembered by the name the fact gave it."""
    named = [str(record.payload["service"]) for record in records if record.payload.get("service")]
    services = services_by_name(team=team, names=named, now=clock.now())
    shas = {record.identity: str(record.payload["sha"])[:100] for record in records}
    existing = {
        row.sha: row for some in chunks(list(shas.values())) for row in Commit.objects.filter(team=team, sha__in=some)
    }
    new: dict[str, list[Any]] = {}  # Any: column values
    changed: list[Commit] = []
    for record in records:
        values, sha = _values(record), shas[record.identity]
        service = record.payload.get("service")
        values["service_id"] = services[str(service)].pk if service else None
        if sha in existing and differs(existing[sha], values):
            changed.append(existing[sha])
        elif sha not in existing:
            new.setdefault(sha, [team.pk, sha, *values.values()])
    keys = {sha: row.pk for sha, row in existing.items()}
    made = insert_rows(Commit, ["team", "sha", *COLUMNS], list(new.values()))
    keys.update(zip(new, made, strict=True))
    rewrite(Commit, changed, COLUMNS)
    wanted = {keys[shas[record.identity]]: _references(record) for record in records}
    _link(team, wanted, unlinked=set(made))


def _values(record: Record) -> dict[str, Any]:  # Any: column values
    payload = record.payload
    return {
        "committed_at": optional_instant(payload.get("committed_at")),
        "author": clipped(payload.get("author"), 200),
        "title": clipped(payload.get("title"), 500),
    }


def _references(record: Record) -> list[str]:
    named = record.payload.get("deploys")
    return list(dict.fromkeys(str(each)[:200] for each in named)) if isinstance(named, list) else []


def _link(team: Team, wanted: dict[int, list[str]], *, unlinked: Collection[int]) -> None:
    """The links of these commits are exactly these. Those `unlinked` were made just now."""
    existing: set[tuple[int, str]] = set()
    gone: list[int] = []
    for some in chunks([pk for pk in wanted if pk not in unlinked]):
        for pk, commit_id, reference in CommitDeploy.objects.filter(commit__in=some).values_list(
            "id", "commit_id", "reference"
        ):
            if reference in wanted[commit_id]:
                existing.add((commit_id, reference))
            else:
                gone.append(pk)
    for some in chunks(gone):
        CommitDeploy.objects.filter(pk__in=some).delete()
    missing = [
        (commit_id, reference)
        for commit_id, references in wanted.items()
        for reference in references
        if (commit_id, reference) not in existing
    ]
    if not missing:
        return
    deploys = deploys_by_reference(team, {reference for _, reference in missing})
    insert_rows(
        CommitDeploy,
        ["team", "commit", "reference", "deploy"],
        [[team.pk, commit_id, reference, deploys.get(reference)] for commit_id, reference in missing],
    )


def deploys_by_reference(team: Team, references: Iterable[str]) -> dict[str, int]:
    """Deploys (their change's id) by what facts call them: a public id, else an id of the imported history."""
    found: dict[str, int] = {}
    for some in chunks(sorted(references)):
        imported = Deploy.objects.filter(team=team, source=HISTORY, external_id__in=some)
        found.update(imported.values_list("external_id", "change_id"))
        public = {each: reference for reference in some if (each := _public_id(reference)) is not None}
        if public:
            rows = Deploy.objects.filter(team=team, change__public_id__in=public)
            found.update((public[each], pk) for each, pk in rows.values_list("change__public_id", "change_id"))
    return found


def _public_id(reference: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(reference)
    except ValueError:
        return None


def resolve_waiting_commits(team: Team, deploys: Sequence[Deploy]) -> None:
    """Links commits that were heard of before these new deploys."""
    by_reference = {deploy.external_id: deploy.change_id for deploy in deploys if deploy.source == HISTORY}
    by_reference.update((str(deploy.change.public_id), deploy.change_id) for deploy in deploys)
    rows: dict[int, list[int]] = defaultdict(list)
    for row in _waiting(team=team.pk, names=list(by_reference)) if by_reference else ():
        rows[by_reference[row["reference"]]].append(row["pk"])
    links = [CommitDeploy(pk=pk, deploy_id=deploy_id) for deploy_id, pks in rows.items() for pk in pks]
    if links:
        CommitDeploy.objects.bulk_update(links, ["deploy"], batch_size=400)
