"""`…__among=[…]`: one of a list, whose length is no part of the SQL, so that a statement can be prepared once for any."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.fields.related import ForeignObject
from django.db.models.sql.compiler import SQLCompiler


class Among(models.Lookup):
    """The column is one of these texts or whole numbers. An empty list fits nothing."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:  # Any: as the driver takes them
        """As `listed` hands the list over."""
        left, values = self.process_lhs(compiler, connection)
        test = "= ANY(%s)" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
        return f"{left} {test}", (*values, listed(self.rhs, connection))


def listed(values: Any, connection: BaseDatabaseWrapper) -> Any:  # Any: texts or numbers; the one parameter they become
    """A list as the parameter of the lookup."""
    return list(values) if connection.vendor == "postgresql" else orjson.dumps(list(values)).decode()


models.Field.register_lookup(Among)
ForeignObject.register_lookup(Among)
