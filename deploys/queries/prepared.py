"""Queries whose SQL is built once: for small ones that every deploy asks, building takes longer than answering."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import QuerySet

Values = dict[str, Any]  # Any: values of fields


class Prepared:
    """A query set of `values(…)`, asked again and again with other values, on the default database.

    `build` puts each of its arguments into the query as it is. `samples` are those of the first building, each different
    from all others and from the query's constants: their places in the SQL are where later values go.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Values]], **samples: Any) -> None:  # Any: as above
        self._build = build
        self._samples = samples
        self._ready: tuple[str, list[tuple[str | None, Any]], list[str], Any, Any] | None = None

    def __call__(self, **values: Any) -> list[Values]:  # Any: as above
        """The rows. One query."""
        if self._ready is None:
            self._ready = self._made()
        sql, places, names, compiler, converters = self._ready
        with connection.cursor() as cursor:
            cursor.execute(sql, [constant if name is None else _driven(values[name]) for name, constant in places])
            rows = cursor.fetchall()
        return [dict(zip(names, row, strict=True)) for row in compiler.apply_converters(rows, converters)]

    def _made(
        self,
    ) -> tuple[str, list[tuple[str | None, Any]], list[str], Any, Any]:  # Any: a compiler and its converters
        rows = self._build(**self._samples)
        compiler: Any = rows.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        names = {_driven(sample): name for name, sample in self._samples.items()}
        places = [(names.get(value), value) for value in params]
        if {name for name, _ in places} - {None} != self._samples.keys():
            raise ValueError(f"not every value has a place of its own in {sql}")
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        return sql, places, [*rows.query.values_select], compiler, converters


def _driven(value: Any) -> Any:  # Any: a value of a field, and of the driver
    """The value as the query's parameters have it."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, dt.datetime) else value
