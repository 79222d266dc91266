"""Many small rows at once: the ORM works on each value of each row half a dozen times, and a deploy brings 150 rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from django.db import connection, models

from deploys.queries.chunks import chunks

#: SQLite allows 999 bound values in old builds.
MOST_VALUES: Final = 999
#: Fields whose values a database driver takes as they are.
_PLAIN: Final = (models.CharField, models.TextField, models.ForeignKey, models.IntegerField)


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[int]:  # Any: values of the fields
    """Writes these rows and gives their keys, in order. Inside the caller's transaction; a conflict is an error.

    `columns` are names of fields; a foreign key takes the key of the row it points to.
    """
    fields: list[Any] = [model._meta.get_field(name) for name in columns]  # Any: fields with a column
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
