"""Which of a deploy's files change a database's schema, and whether the way back came with them.

Code that is rolled back goes; a schema that was migrated stays. A deploy that carries both is the one that cannot simply
be undone, and a migration without an undo script is the one nobody can undo at night.

Told from paths alone, by the conventions of the common tools. Tools that keep the way back inside the same file (Django,
Rails, Alembic, Knex) are believed to have it: its content is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_FOLDER = re.compile(r"(?:^|/)(?:migrations?|migrate|alembic/versions|db/changelog)/")
_NO_STEP = re.compile(r"(?:^|/)(?:__init__\.py|migration_lock\.\w+|readme[^/]*|[^/]+\.md)$")
_UNDO = re.compile(
    r"(?:^|/)(?:u\d[^/]*__[^/]*\.sql|down\.sql|[^/]*[._-](?:down|undo|rollback|revert)\.sql|(?:revert|undo|rollback)/[^/]+\.sql)$"
)
_FLYWAY = re.compile(r"(?:^|/)v(\d[^/]*?)__[^/]*\.sql$")


@dataclass(frozen=True, slots=True)
class SchemaChanges:
    """`migrations` in the order of the deploy's files; `without_undo` are those of them that nothing undoes."""

    migrations: tuple[str, ...] = ()
    without_undo: tuple[str, ...] = ()
    other_count: int = 0

    @property
    def is_mixed(self) -> bool:
        """Schema and code came in one deploy."""
        return bool(self.migrations) and self.other_count > 0


def is_schema_change(path: str) -> bool:
    """Does the file change a schema, or undo such a change?"""
    low = path.replace("\\", "/").lower()
    return not _NO_STEP.search(low) and (low.endswith(".sql") or bool(_FOLDER.search(low)))


def schema_changes_of(files: Iterable[str]) -> SchemaChanges:
    """What the files of one deploy do to the schema. Documentation and lock files count as other files."""
    paths = list(dict.fromkeys(files))
    schema = [path for path in paths if is_schema_change(path)]
    undo = {path.replace("\\", "/").lower() for path in schema if _UNDO.search(path.replace("\\", "/").lower())}
    steps = tuple(path for path in schema if path.replace("\\", "/").lower() not in undo)
    bare = tuple(path for path in steps if path.lower().endswith(".sql") and not _is_undone(path, undo))
    return SchemaChanges(steps, bare, len(paths) - len(schema))


def _is_undone(path: str, undo: Collection[str]) -> bool:
    """Is there an undo script for this one: same name and a telling ending, Flyway's U for V, or `revert` for `deploy`?"""
    low = path.replace("\\", "/").lower()
    folder, _, name = low.rpartition("/")
    stem = re.sub(r"(?:[._-]up)?\.sql$", "", name)
    wanted = {f"{stem}{mark}{word}.sql" for mark in "._-" for word in ("down", "undo", "rollback", "revert")}
    if name == "up.sql":
        wanted = {"down.sql"}
    above = folder.rpartition("/")[0]
    beside = {f"{above}/{way}/{name}".lstrip("/") for way in ("revert", "undo", "rollback")}
    flyway = _FLYWAY.search(low)
    for each in undo:
        where, _, other = each.rpartition("/")
        if each in beside or (where == folder and other in wanted):
            return True
        if flyway and other.startswith(f"u{flyway[1]}__"):
            return True
    return False
