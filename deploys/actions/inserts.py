"""Many small rows at once: the ORM works on each value of each row half a dozen times, and a deploy brings 150 rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import orjson
from django.db import connection, models

from deploys.queries.chunks import chunks

#: SQLite allows 999 bound values in old builds.
MOST_VALUES: Final = 999
#: Rows of one statement, where they are handed over as one value.
MOST_ROWS: Final = 1_000
#: Fields whose values a database driver takes as they are.
_PLAIN: Final = (models.CharField, models.TextField, models.ForeignKey, models.IntegerField)
#: What JSON writes and SQLite reads without change; a number with a fraction may lose its last digit.
_EXACT: Final = (*_PLAIN, models.DateTimeField, models.JSONField)


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[int]:  # Any: values of the fields
    """Writes these rows and gives their keys, in order. Inside the caller's transaction; a conflict is an error.

    `columns` are names of fields; a foreign key takes the key of the row it points to.
    """
    fields: list[Any] = [model._meta.get_field(name) for name in columns]  # Any: fields with a column
    is_one_value = connection.vendor == "sqlite" and all(isinstance(field, _EXACT) for field in fields)
    keys: list[int] = []
    for some in chunks(rows, MOST_ROWS):
        text = _as_json(fields, some) if is_one_value else None
        keys += _insert_values(model, fields, some) if text is None else _insert_json(model, fields, text)
    return keys


def _insert_json(model: type[models.Model], fields: Sequence[Any], text: str) -> list[int]:  # Any: as above
    """One statement with one value: SQLite takes the rows apart, while other threads work."""
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    values = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(fields)))
    statement = f"INSERT INTO {model._meta.db_table} ({names}) SELECT {values} FROM json_each(%s) RETURNING id"  # noqa: S608 -- names from the model
    with connection.cursor() as cursor:
        cursor.execute(statement, [text])
        return sorted(key for (key,) in cursor.fetchall())


def _as_json(fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str | None:  # Any: as above
    """The rows as one text; None where JSON cannot say them, or SQLite would read them otherwise: it ends a text at a NUL,
    and takes the quotes from a document that is but a text.
    """
    times = [place for place, field in enumerate(fields) if isinstance(field, models.DateTimeField)]
    documents = [place for place, field in enumerate(fields) if isinstance(field, models.JSONField)]
    written: list[Sequence[Any]] = []  # Any: as above
    for row in rows:
        if any(not isinstance(row[place], dict | list | None) for place in documents):
            return None
        plain = list(row)
        for place in times:
            plain[place] = _stored(plain[place])
        written.append(plain)
    try:
        text = orjson.dumps(written)
    except TypeError:  # half of a surrogate pair, or a whole number of more than 64 bits
        return None
    return None if b"\\u0000" in text else text.decode()


def _stored(at: dt.datetime | None) -> str | None:
    """The instant as SQLite has it, without the detours of a field, which take as long as all the rest."""
    return None if at is None else at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ")


def _insert_values(
    model: type[models.Model], fields: Sequence[Any], rows: Sequence[Sequence[Any]]
) -> list[int]:  # Any: as above
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    prepare = [None if isinstance(field, _PLAIN) else field.get_db_prep_save for field in fields]
    one = f"({', '.join(['%s'] * len(fields))})"
    keys: list[int] = []
    for some in chunks(rows, max(1, MOST_VALUES // len(fields))):
        statement = f"INSERT INTO {model._meta.db_table} ({names}) VALUES {', '.join([one] * len(some))} RETURNING id"  # noqa: S608 -- names from the model
        with connection.cursor() as cursor:
            cursor.execute(statement, list(_values(some, prepare)))
            keys += sorted(key for (key,) in cursor.fetchall())
    return keys


def _values(
    rows: Iterable[Sequence[Any]], prepare: Sequence[Callable[..., Any] | None]
) -> Iterable[Any]:  # Any: values of fields and of the driver
    for row in rows:
        for value, prepared in zip(row, prepare, strict=True):
            yield value if prepared is None or value is None else prepared(value, connection)
