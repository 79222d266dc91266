"""Scans of source code, as the rules and pages read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from deploys.domain.flag_code import Dynamic, PlaceKind, RepositoryCode
from deploys.models import Flag, FlagReference, FlagRepository, FlagTrace, RegisteredFlag, Team
from deploys.queries.chunks import chunks

MOST_KEYS = 20_000


def keys_of(team: Team) -> list[str]:
    """Every key a scan should look for: flags of the registry, archived ones too, and flags only ever heard of."""
    registered = RegisteredFlag.objects.filter(team=team).values_list("key", flat=True)
    heard = Flag.objects.filter(team=team).values_list("key", flat=True)
    return sorted({*registered, *heard})[:MOST_KEYS]


def standing_in(team: Team, repository: str) -> dict[str, list[str]]:
    """Keys that the newest scan of a repository found, with the files they stood in."""
    rows = FlagTrace.objects.filter(
        repository__team=team, repository__name=repository.replace("\x00", ""), gone_scanned_at__isnull=True
    )
    return {row.key: [str(path) for path in row.paths] for row in rows.order_by("key")}


@dataclass(frozen=True, slots=True)
class ShownPlace:
    """A place and where it can be read; no address where the scanner did not say one."""

    repository: str
    path: str
    line: int
    kind: str
    url: str


def code_of(team: Team, keys: Collection[str] | None = None) -> dict[str, list[RepositoryCode]]:
    """What each scanned repository says of each flag (all: None). Three queries, and one more for every 500 keys."""
    repositories = list(FlagRepository.objects.filter(team=team).order_by("name"))
    if not repositories:
        return {}
    wanted = keys_of(team) if keys is None else list(keys)
    places: dict[tuple[int, str], list[tuple[str, str]]] = {}
    traced: set[tuple[int, str]] = set()
    ids = [row.pk for row in repositories]
    for some in chunks(wanted):
        rows = FlagReference.objects.filter(repository__in=ids, key__in=some)
        for repository, key, path, kind in rows.values_list("repository_id", "key", "path", "kind"):
            places.setdefault((repository, key), []).append((path, kind))
        traced.update(FlagTrace.objects.filter(repository__in=ids, key__in=some).values_list("repository_id", "key"))
    dynamic = {row.pk: dynamic_of(row) for row in repositories}
    return {
        key: [
            _code(
                row, places.get((row.pk, key), ()), was_there=(row.pk, key) in traced,
                is_dynamic=any(each.may_be(key) for each in dynamic[row.pk]),
            )
            for row in repositories
        ]
        for key in wanted
    }  # fmt: skip


def dynamic_of(row: FlagRepository) -> list[Dynamic]:
    """The places of a repository that put keys together."""
    return [Dynamic(each["path"], each["line"], each["prefix"], each["suffix"]) for each in row.dynamic]


def _code(
    row: FlagRepository, places: Sequence[tuple[str, str]], *, was_there: bool, is_dynamic: bool
) -> RepositoryCode:
    counted = [(path, kind) for path, kind in places if kind != PlaceKind.DOC]
    return RepositoryCode(
        name=row.name, scanned_at=row.scanned_at, is_complete=row.is_complete, references_count=len(counted),
        files=tuple(sorted({path for path, kind in counted if kind != PlaceKind.TEST})),
        test_files=tuple(sorted({path for path, kind in counted if kind == PlaceKind.TEST})),
        was_there=was_there, is_dynamic=is_dynamic,
    )  # fmt: skip


def places_of(team: Team, keys: Collection[str], *, most: int = 2_000) -> Mapping[str, list[ShownPlace]]:
    """Places by key, code before tests before words, each with its address. One query."""
    rows = FlagReference.objects.filter(repository__team=team, key__in=list(keys)).select_related("repository")
    found: dict[str, list[ShownPlace]] = {}
    order = {PlaceKind.TEST: 1, PlaceKind.DOC: 2}
    for row in sorted(
        rows[:most], key=lambda row: (order.get(PlaceKind(row.kind), 0), row.repository.name, row.path, row.line)
    ):
        found.setdefault(row.key, []).append(
            ShownPlace(row.repository.name, row.path, row.line, row.get_kind_display(), _address(row))
        )
    return found


def _address(row: FlagReference) -> str:
    link = row.repository.link
    if not link:
        return ""
    values = {"{commit}": row.repository.commit_sha, "{path}": row.path, "{line}": str(row.line)}
    for name, value in values.items():
        link = link.replace(name, value)
    return link
