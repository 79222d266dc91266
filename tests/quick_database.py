"""Test databases that begin as copies of a migrated one: making all tables anew takes half a minute for each process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.db.backends.sqlite3.creation import DatabaseCreation

from tests.instance import migrated


@contextmanager
def copied_tables() -> Iterator[None]:
    """While this holds, Django's in-memory databases of tests have their tables before they are migrated.

    The migrations still run: those that the copy has are known to it.
    """
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        yield
        return
    made = DatabaseCreation._create_test_db
    with ExitStack() as stack:

        def copied(self: DatabaseCreation, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
            name = made(self, verbosity, autoclobber, keepdb)
            source = migrated() / Path(self.connection.settings_dict["NAME"]).name
            # kept open: a database in memory lasts as long as somebody is connected to it
            memory = stack.enter_context(closing(sqlite3.connect(name, uri=True, check_same_thread=False)))
            with closing(sqlite3.connect(source)) as template:
                template.backup(memory)
            return name

        with mock.patch.object(DatabaseCreation, "_create_test_db", copied):
            yield
