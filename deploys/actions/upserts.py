"""Counters that add up in the database: insert a row, or add to the one that is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections, models, router

CHUNK = 100


def add_up(
    *,
    model: type[models.Model],
    keys: Sequence[str],
    counters: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    first: Sequence[str] = (),
    latest: Sequence[str] = (),
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:  # Any: column values
    """Adds each row's counters to the row of the same keys, making it where there is none.

    A row holds the values of `keys`, `counters`, `first` (written only where the row is new) and `latest` (written
    always); foreign keys are given as ids. `keys` must be the columns of a unique constraint, or more: a key that is no
    part of it must follow from the others. Rows are written in key order, so that two writers lock them in the same
    order, and stay locked until the transaction ends. No two rows may have the same keys.

    Answers the columns `returning` of every row as they stand afterwards, as the driver gives them.
    """
    if not rows:
        return []
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    fields = [_field(model, name) for name in (*keys, *counters, *first, *latest)]
    table = quote(model._meta.db_table)
    columns = [quote(str(field.column)) for field in fields]
    unique = next(
        constraint.fields
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and set(constraint.fields) <= set(keys)
    )
    target = _columns(model, unique, quote)
    counted = len(keys) + len(counters)
    changes = [f"{name} = {table}.{name} + excluded.{name}" for name in columns[len(keys) : counted]]
    changes += [f"{name} = excluded.{name}" for name in columns[counted + len(first) :]]
    tail = f"ON CONFLICT ({target}) DO UPDATE SET {', '.join(changes)}"
    if returning:
        tail += f" RETURNING {_columns(model, returning, quote)}"
    prepared = sorted(
        [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)] for row in rows
    )
    one = f"({', '.join(['%s'] * len(fields))})"
    found: list[tuple[Any, ...]] = []  # Any: as above
    with connection.cursor() as cursor:
        for start in range(0, len(prepared), CHUNK):
            chunk = prepared[start : start + CHUNK]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(chunk))} {tail}",  # noqa: S608 -- names from the model
                [value for row in chunk for value in row],
            )
            if returning:
                found += cursor.fetchall()
    return found


def _columns(model: type[models.Model], names: Sequence[str], quote: Callable[[str], str]) -> str:
    return ", ".join(quote(str(_field(model, name).column)) for name in names)


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:  # Any: whatever the column holds
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field):
        raise TypeError(f"{name} of {model.__name__} is no column")
    return field
