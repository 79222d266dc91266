"""Instants as the pure code counts them, straight from the database: reading thousands as datetimes costs more than they tell."""

from __future__ import annotations

from typing import Any, Final

from django.db import models

MICROSECONDS: Final = 1e6


class EpochMicroseconds(models.Func):
    """Whole microseconds since 1970 of an instant, exactly: divided by MICROSECONDS they are `datetime.timestamp()`."""

    output_field = models.BigIntegerField()
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:  # Any: Django's own types of a compiler
        """From "2026-03-04 12:00:00", or the same with six decimals, which is how instants are stored (in UTC).

        strftime rounds to milliseconds, so it gets whole seconds.
        """
        template = "(strftime('%%%%s', substr(%(expressions)s, 1, 19)) * 1000000 + CAST(substr(%(expressions)s, 21) AS INTEGER))"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:  # Any: as above
        """The epoch is a numeric there, with six decimals."""
        template = "(EXTRACT(EPOCH FROM %(expressions)s) * 1000000)::bigint"
        return self.as_sql(compiler, connection, template=template, **context)
