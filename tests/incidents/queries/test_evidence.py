"""What surrounds an incident, read without walking through what does not matter."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions.digest import digest_events
from incidents.queries.evidence import flag_services, seconds
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import parsed_event

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_flags_are_learned_from_the_errors_of_a_day() -> None:
    shop, other = ServiceFactory(name="shop"), ServiceFactory(name="shop")  # the other one is another team's
    for service, flag, hours in ((shop, "fast", 1), (shop, "old", 30), (other, "theirs", 1)):
        at = NOON - dt.timedelta(hours=hours)
        event = parsed_event(type=flag, timestamp=at, flags={flag: "true"})
        digest_events(service=service, events=[event, parsed_event(type="none", timestamp=at)], received_at=[at, at])

    with CaptureQueriesContext(connection) as queries:
        found = flag_services(shop.team, seconds(NOON))

    assert found == {"fast": frozenset({"shop"})}
    [query] = queries.captured_queries
    if connection.vendor == "sqlite":  # PostgreSQL plans by the rows there are, which are few here
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            assert "event_with_flags" in str(cursor.fetchall())
