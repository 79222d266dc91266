"""Finding incidents by what people wrote about them."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from incidents.models import Incident

MOST_WORDS: Final = 8
_WORD: Final = re.compile(r"\w+")
#: Statements that give the ids of incidents whose text holds all words; FTS5 and to_tsquery both take word prefixes.
_SQLITE: Final = (
    (
        "SELECT entry.incident_id FROM incidents_timelineentry AS entry WHERE entry.id IN "
        "(SELECT rowid FROM incidents_timelineentry_fts WHERE incidents_timelineentry_fts MATCH %s)"
    ),
    (
        "SELECT told.incident_id FROM incidents_retrospective AS told WHERE told.id IN "
        "(SELECT rowid FROM incidents_retrospective_fts WHERE incidents_retrospective_fts MATCH %s)"
    ),
)
_POSTGRESQL: Final = (
    "SELECT incident_id FROM incidents_timelineentry WHERE to_tsvector('simple', text) @@ to_tsquery('simple', %s)",
    "SELECT incident_id FROM incidents_retrospective WHERE to_tsvector('simple', answers) @@ to_tsquery('simple', %s)",
)


def words_of(text: str) -> list[str]:
    """The words looked for, at most eight, in lower case."""
    return [word.lower() for word in _WORD.findall(text)][:MOST_WORDS]


def matching(rows: QuerySet[Incident], text: str) -> QuerySet[Incident]:
    """The incidents whose title holds the text, whose number it is, or of which people wrote all its words (or words that
    begin so) in one note, reason or answer. No query.
    """
    number = text.upper().removeprefix("INC-").strip()
    found = Q(title__icontains=text)
    if number.isascii() and number.isdigit() and len(number) < 10:
        found |= Q(number=int(number))
    words = words_of(text)
    if not words:
        return rows.filter(found)
    connection = connections[rows.db]
    if connection.vendor == "postgresql":
        return rows.filter(found | _in(_POSTGRESQL, " & ".join(f"{word}:*" for word in words)))
    if has_fts5(connection):
        return rows.filter(found | _in(_SQLITE, " ".join(f'"{word}"*' for word in words)))
    return rows.filter(found)


def _in(statements: tuple[str, ...], query: str) -> Q:
    told = Q()
    for statement in statements:
        told |= Q(pk__in=RawSQL(statement, [query]))  # noqa: S611 -- statements of our own, the words are a parameter
    return told


def has_fts5(connection: BaseDatabaseWrapper) -> bool:
    """Whether this SQLite was built with full-text search; asked once."""
    return connection.vendor == "sqlite" and _was_built_with_fts5(connection.alias)


@cache
def _was_built_with_fts5(alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute("PRAGMA compile_options")
        return any(option == "ENABLE_FTS5" for (option,) in cursor.fetchall())
