"""Everything a database keeps, as one text to search: every column of every table, unpacked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from backports import zstd
from django.db import connections

#: Where bodies may lie as they came, until they are digested, discarded or too old.
RAW = frozenset({"incidents_inboxitem", "incidents_deadletter"})


def everything_kept() -> str:
    """All columns of all tables but those of RAW, one value a line."""
    return "\n".join(value for alias in connections for table in _tables(alias) for value in _values(alias, table))


def _tables(alias: str) -> list[str]:
    return [name for name in connections[alias].introspection.table_names() if name not in RAW]


def _values(alias: str, table: str) -> Iterator[str]:
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connections[alias].ops.quote_name(table)}")  # noqa: S608 -- a name from the catalogue
        for row in cursor.fetchall():
            for value in row:
                yield _text(value)


def _text(value: object) -> str:
    if isinstance(value, memoryview):
        value = bytes(value)
    if not isinstance(value, bytes):
        return str(value)
    with contextlib.suppress(zstd.ZstdError):
        value = zstd.decompress(value)
    return value.decode("utf-8", "replace")
