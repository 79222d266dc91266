"""A scratch database of the configured kind: made, migrated, used and dropped, beside the instance's own data."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections

_FAST = "PRAGMA journal_mode=MEMORY;PRAGMA synchronous=OFF;PRAGMA cache_size=-64000;PRAGMA temp_store=MEMORY;"


@contextmanager
def scratch_database() -> Iterator[None]:
    """Inside this block all database aliases point at empty, migrated scratch stores. Not inside a transaction."""
    with ExitStack() as stack:
        if connections["default"].vendor == "sqlite":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="upshot-scratch-")))
            for alias in connections:
                options = {**connections[alias].settings_dict["OPTIONS"], "init_command": _FAST}
                stack.enter_context(_pointed_at(alias, {"NAME": str(folder / f"{alias}.sqlite3"), "OPTIONS": options}))
        else:
            name = f"upshot_scratch_{secrets.token_hex(6)}"
            stack.enter_context(_postgresql_database(name))
            for alias in connections:
                stack.enter_context(_pointed_at(alias, {"NAME": name}))
        for alias in connections:
            _make_tables(alias)
        yield


def _make_tables(alias: str) -> None:
    """All tables of an alias, from the models: replaying every migration would take longer than most histories."""
    before = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = dict.fromkeys((config.label for config in apps.get_app_configs()), None)
    try:
        call_command("migrate", database=alias, run_syncdb=True, verbosity=0, interactive=False)
    finally:
        settings.MIGRATION_MODULES = before


@contextmanager
def _postgresql_database(name: str) -> Iterator[None]:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
    try:
        yield
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


@contextmanager
def _pointed_at(alias: str, changes: dict[str, Any]) -> Iterator[None]:  # Any: database settings
    """The alias with other settings; the connection is closed on both sides, so that each opens with its own."""
    connection = connections[alias]
    connection.close()
    before = {key: connection.settings_dict[key] for key in changes}
    connection.settings_dict.update(changes)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
