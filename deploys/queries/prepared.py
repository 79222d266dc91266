"""Queries whose SQL is built once: for those that every deploy asks, building takes several times as long as answering."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

from deploys.models.among import listed

Values = dict[str, Any]  # Any: values of fields
M = TypeVar("M", bound=Model)


class _Statement:
    """The SQL of a query set, asked again and again with other values, on the default database.

    `build` puts each of its arguments into the query as it is; a list goes into `…__among`. `samples` are those of the first
    building, each different from all others and from the query's constants: their places in the SQL are where later
    values go.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], samples: Values) -> None:  # Any: as above
        rows = build(**samples)
        compiler: Any = rows.query.get_compiler(connection=connection)  # Any: the stubs know little of compilers
        self._sql, params = compiler.as_sql()
        known = [(_driven(sample), name) for name, sample in samples.items()]
        self._places = [(next((name for sample, name in known if sample == value), None), value) for value in params]
        if {name for name, _ in self._places} - {None} != samples.keys():
            raise ValueError(f"not every value has a place of its own in {self._sql}")
        self._converters = compiler.get_converters([column for column, _, _ in compiler.select])
        self.compiler = compiler
        self.names = [*rows.query.values_select]

    def rows(self, values: Values) -> Sequence[Sequence[Any]]:  # Any: values of fields
        """What is found, as the fields have it."""
        with connection.cursor() as cursor:
            cursor.execute(
                self._sql, [constant if name is None else _driven(values[name]) for name, constant in self._places]
            )
            rows = cursor.fetchall()
        return [*self.compiler.apply_converters(rows, self._converters)] if self._converters else rows


class Prepared:
    """A query set of `values(…)`."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], **samples: Any) -> None:  # Any: as above
        self._build, self._samples = build, samples
        self._ready: _Statement | None = None

    def __call__(self, **values: Any) -> list[Values]:  # Any: as above
        """The rows. One query."""
        if self._ready is None:
            self._ready = _Statement(self._build, self._samples)
        names = self._ready.names
        return [dict(zip(names, row, strict=True)) for row in self._ready.rows(values)]


class PreparedRows(Generic[M]):
    """A query set of whole rows, with those that `select_related` brings along."""

    def __init__(self, build: Callable[..., QuerySet[M, M]], **samples: Any) -> None:  # Any: values of fields
        self._build, self._samples = build, samples
        self._ready: tuple[_Statement, type[M], int, list[str], list[Any]] | None = None

    def __call__(self, **values: Any) -> list[M]:  # Any: as above
        """The rows. One query."""
        if self._ready is None:
            self._ready = self._made()
        statement, model, end, names, populators = self._ready
        found = []
        for row in statement.rows(values):
            each = model.from_db(connection.alias, names, row[:end])
            for populator in populators:
                populator.populate(row, each)
            found.append(each)
        return found

    def _made(self) -> tuple[_Statement, type[M], int, list[str], list[Any]]:  # Any: as Django has them
        """What `django.db.models.query.ModelIterable` works out each time."""
        statement = _Statement(self._build, self._samples)
        told = statement.compiler.klass_info
        end = told["select_fields"][-1] + 1
        names = [column.target.attname for column, _, _ in statement.compiler.select[:end]]
        return (
            statement, told["model"], end, names,
            get_related_populators(told, statement.compiler.select, connection.alias),  # type: ignore[call-arg]  # the stubs are a later Django's
        )  # fmt: skip


def _driven(value: Any) -> Any:  # Any: a value of a field, and of the driver
    """The value as the query's parameters have it."""
    if isinstance(value, dt.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return listed(value, connection) if isinstance(value, list) else value
