"""Counters that add up in the database: insert a row, or add to the one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections, models, router

CHUNK = 100


def add_up(
    *, model: type[models.Model], keys: Sequence[str], counters: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:  # Any: column values
    """Adds each row's counters to the row of the same keys, making it where there is none.

    A row holds the values of `keys`, then of `counters`; foreign keys are given as ids. `keys` must be the columns of a
    unique constraint, or more: a key that is no part of it must follow from the others. Rows are written in key order,
    so that two writers lock them in the same order. No two rows may have the same keys.
    """
    if not rows:
        return
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    fields = [_field(model, name) for name in (*keys, *counters)]
    table = quote(model._meta.db_table)
    columns = [quote(str(field.column)) for field in fields]
    unique = next(
        constraint.fields
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and set(constraint.fields) <= set(keys)
    )
    target = ", ".join(quote(str(_field(model, name).column)) for name in unique)
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in columns[len(keys) :])
    prepared = sorted(
        [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)] for row in rows
    )
    one = f"({', '.join(['%s'] * len(fields))})"
    with connection.cursor() as cursor:
        for start in range(0, len(prepared), CHUNK):
            chunk = prepared[start : start + CHUNK]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(chunk))} "  # noqa: S608 -- names from the model
                f"ON CONFLICT ({target}) DO UPDATE SET {added}",
                [value for row in chunk for value in row],
            )


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:  # Any: whatever the column holds
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field):
        raise TypeError(f"{name} of {model.__name__} is no column")
    return field
