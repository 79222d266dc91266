"""The same code on PostgreSQL with Redis and with RabbitMQ, by settings alone."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.conftest import skip_or_fail
from tests.incidents.live import postgres
from tests.instance import eventually, running

pytestmark = [pytest.mark.services, pytest.mark.processes]

BROKERS = {"redis": "redis://127.0.0.1:6379/9", "rabbitmq": "amqp://guest:guest@127.0.0.1:5672//"}
REPORT = "import sentry_sdk; sentry_sdk.init(dsn={dsn!r}, environment='production'); sentry_sdk.capture_exception(ValueError('of {broker}')); sentry_sdk.flush(10)"


@pytest.fixture
def database() -> Iterator[str]:
    """A PostgreSQL database of this test's own."""
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except psycopg.OperationalError as error:
            skip_or_fail(f"no PostgreSQL: {error}")
        yield url


@pytest.mark.parametrize("broker", sorted(BROKERS))
def test_an_error_reaches_the_database_through_the_broker(broker: str, database: str, tmp_path: Path) -> None:
    address = urlsplit(BROKERS[broker])
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex((str(address.hostname), int(address.port or 0))):
            skip_or_fail(f"no {broker} at {address.hostname}:{address.port}")

    with running(tmp_path / "data", UPSHOT_DATABASE_URL=database, UPSHOT_BROKER_URL=BROKERS[broker]) as instance:
        dsn = instance.provision("shop/web")["dsn"]
        subprocess.run(
            [sys.executable, "-c", REPORT.format(dsn=dsn, broker=broker)],
            check=True,
            env=instance.environment,
            timeout=60,
        )

        with psycopg.connect(database, autocommit=True) as connection:
            count = "SELECT count(*) FROM incidents_errorevent"
            stored = eventually(
                lambda: connection.execute(count).fetchone() == (1,),
                seconds=30,
                what=f"the event; {instance.output()[-1500:]}",
            )
    assert stored
