"""Instances for tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import skip_or_fail
from tests.incidents import live as lives


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an instance with a project, made once."""
    data = tmp_path_factory.mktemp("template") / "data"
    with lives.prepared(data):
        return data


@pytest.fixture
def live(template: Path, tmp_path: Path) -> Iterator[lives.Live]:
    """An instance on SQLite with its web process running, and no worker yet."""
    found = lives.copied(template, tmp_path / "data")
    try:
        found.start_web()
        yield found
    finally:
        found.stop()


@pytest.fixture
def postgres_live(tmp_path: Path) -> Iterator[lives.Live]:
    """The same on PostgreSQL."""
    try:
        database = lives.postgres()
        url = database.__enter__()
    except psycopg.OperationalError as error:
        skip_or_fail(f"no PostgreSQL: {error}")
    try:
        with lives.prepared(tmp_path / "data", UPSHOT_DATABASE_URL=url) as found:
            found.start_web()
            yield found
    finally:
        database.__exit__(None, None, None)
