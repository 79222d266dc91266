"""Whether the tables are there, and as this version needs them."""

from __future__ import annotations

from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor


def missing_tables() -> str:
    """One sentence that names the command to run; empty where every database has all its migrations.

    Also empty where a database cannot be asked: what is wrong with it is not this. Two queries of each database.
    """
    try:
        behind = [alias for alias in connections if _is_behind(alias)]
    except DatabaseError:
        return ""
    if not behind:
        return ""
    commands = ["manage.py migrate" + ("" if alias == "default" else f" --database {alias}") for alias in behind]
    return (
        "The database has no tables yet, or not all that this version needs: run `manage.py start`, which makes them and"
        f" serves, or only `{' && '.join(commands)}`."
    )


def _is_behind(alias: str) -> bool:
    executor = MigrationExecutor(connections[alias])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
