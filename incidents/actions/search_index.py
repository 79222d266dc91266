"""The full-text index of what people wrote: made and mended after each migration, kept by the database itself.

SQLite has FTS5 tables filled by triggers, for nothing else sees every write. A migration that changes one of the tables makes
it anew without its triggers, so they are looked for after each, and the index is filled again where one was gone. PostgreSQL
has expression indexes, which cannot fall behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from incidents.models import Retrospective, TimelineEntry
from incidents.queries.search import has_fts5


@dataclass(frozen=True, slots=True)
class Indexed:
    """A table with text: `body` is its text as SQLite reads it from the row `{row}`, `vector` as PostgreSQL does."""

    table: str
    body: str
    vector: str


INDEXED: Final = (
    Indexed("incidents_timelineentry", "{row}.text", "to_tsvector('simple', text)"),
    Indexed(
        "incidents_retrospective",
        "(SELECT group_concat(value, ' ') FROM json_each({row}.answers))",
        "to_tsvector('simple', answers)",
    ),
)


def ensure_search_index(using: str = "default", **_: Any) -> None:  # Any: Django's signal arguments
    """Makes what is missing of the index in this database. Connected to post_migrate; idempotent."""
    connection = connections[using]
    if not all(router.allow_migrate_model(using, model) for model in (TimelineEntry, Retrospective)):
        return
    tables = set(connection.introspection.table_names())
    if not {each.table for each in INDEXED} <= tables:  # migrated back to before them
        return
    if connection.vendor == "sqlite" and has_fts5(connection):
        _ensure_sqlite(connection)
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for each in INDEXED:
                cursor.execute(f"CREATE INDEX IF NOT EXISTS {each.table}_fts ON {each.table} USING gin ({each.vector})")


def _ensure_sqlite(connection: BaseDatabaseWrapper) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for each in INDEXED:
            cursor.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{each.table}_fts_%"]
            )
            if cursor.fetchone()[0] != len(_triggers(each)):
                _make(cursor, each)


def _make(cursor: CursorWrapper, each: Indexed) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS {each.table}_fts")
    cursor.execute(
        f"CREATE VIRTUAL TABLE {each.table}_fts USING fts5(body, tokenize = 'unicode61 remove_diacritics 0')"
    )
    body = each.body.format(row="given")
    cursor.execute(
        f"INSERT INTO {each.table}_fts(rowid, body) SELECT id, {body} FROM {each.table} AS given WHERE coalesce({body}, '') <> ''"  # noqa: S608 -- names of our own, no value
    )
    for name, statement in _triggers(each).items():
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(statement)


def _triggers(each: Indexed) -> dict[str, str]:
    fts, body = f"{each.table}_fts", each.body.format(row="new")
    add = f"INSERT INTO {fts}(rowid, body) SELECT new.id, {body} WHERE coalesce({body}, '') <> '';"
    drop = f"DELETE FROM {fts} WHERE rowid = old.id;"  # noqa: S608 -- as above
    return {
        f"{fts}_add": f"CREATE TRIGGER {fts}_add AFTER INSERT ON {each.table} BEGIN {add} END",
        f"{fts}_drop": f"CREATE TRIGGER {fts}_drop AFTER DELETE ON {each.table} BEGIN {drop} END",
        f"{fts}_change": f"CREATE TRIGGER {fts}_change AFTER UPDATE ON {each.table} BEGIN {drop} {add} END",
    }
