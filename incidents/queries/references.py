"""Changes by the ids that facts use for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from deploys.models import Change, Deploy, FlagChange, Team

HISTORY = "history"
CHUNK = 500


def changes_referred(*, team: Team, references: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The primary key of the change behind each (kind, id): by public id, else by external id of an imported history.

    Ids nobody knows are absent. At most three queries for each 500 ids.
    """
    wanted = sorted(set(references))
    found: dict[tuple[str, str], int] = {}
    for start in range(0, len(wanted), CHUNK):
        found.update(_found(team, wanted[start : start + CHUNK]))
    return found


def _found(team: Team, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    asked = set(wanted)
    public = {uid for _, reference in wanted if (uid := _uuid(reference)) is not None}
    found: dict[tuple[str, str], int] = {}
    if public:
        rows = Change.objects.filter(team=team, public_id__in=public).values_list("kind", "public_id", "pk")
        by_id = {(kind, public_id): pk for kind, public_id, pk in rows}
        for kind, reference in wanted:
            uid = _uuid(reference)
            if uid is not None and (kind, uid) in by_id:
                found[kind, reference] = by_id[kind, uid]
    for kind, model in (("deploy", Deploy), ("flag", FlagChange)):
        names = [reference for each, reference in wanted if each == kind and (each, reference) not in found]
        if names:
            imported = model._default_manager.filter(team=team, source=HISTORY, external_id__in=names)
            found.update({(kind, name): pk for name, pk in imported.values_list("external_id", "change_id")})
    return {key: pk for key, pk in found.items() if key in asked}


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
