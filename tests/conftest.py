"""What all tests share."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from hypothesis import HealthCheck, settings

from deploys import clock
from tests.quick_database import copied_tables

#: A Wednesday noon, the instant tests call now unless they say otherwise.
NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)


# a busy machine is no fault of the code: nothing here is judged by the clock on the wall
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def required() -> bool:
    """Whether a missing service or folder is a failure instead of a skip (set where everything must be there)."""
    return os.environ.get("UPSHOT_REQUIRE_SERVICES") == "1"


def skip_or_fail(reason: str) -> None:
    """Skips the test, or fails it where everything is required."""
    if required():
        pytest.fail(f"{reason} (UPSHOT_REQUIRE_SERVICES=1)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """Asked for by pytest-django before it makes the databases."""
    with copied_tables():
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Django drops the test database with connections of second aliases to it still open, which PostgreSQL refuses."""
    yield
    connections.close_all()


@pytest.fixture
def noon() -> Iterator[dt.datetime]:
    """The clock stands at NOON."""
    with clock.at(NOON):
        yield NOON


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded clients and worked cases."""
    folder = Path(os.environ.get("UPSHOT_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))
    if not (folder / "fixtures").is_dir():
        skip_or_fail(f"no recorded clients at {folder}: set UPSHOT_SHARED")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak`: the long form of tests that kill processes (make soak)."""
    parser.addoption("--soak", action="store_true", help="kill many more times, and send for longer")
