"""What takes how much room, and when people are told that there is little left."""

from __future__ import annotations

import pytest
from django.conf import settings as configured
from pytest_django import DjangoAssertNumQueries, Settings

from incidents.actions.digest import digest_events
from incidents.queries import storage
from incidents.queries.storage import ServiceSize, disk_alarm, free_bytes, instance_size, service_size
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import parsed_event

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]


def test_the_size_of_a_service_is_told_from_its_newest_reports(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    service = ServiceFactory.create()
    assert service_size(service) == ServiceSize(0, 0)
    digest_events(service=service, events=[parsed_event(payload=b"x" * 4) for _ in range(3)], received_at=NOON)
    digest_events(service=ServiceFactory.create(), events=[parsed_event()], received_at=NOON)

    with django_assert_num_queries(2):
        found = service_size(service)

    assert (found.events_count, storage.ROW_BYTES * 3 < found.size_bytes < (storage.ROW_BYTES + 50) * 3) == (3, True)


def test_the_size_of_the_instance_is_asked_of_the_database() -> None:
    found = instance_size()

    is_apart = configured.INBOX_ALIAS != "default"
    assert (found.database_bytes > 100_000, found.inbox_bytes > 4_000) == (True, True)
    assert (found.reusable_bytes is not None, found.free_bytes is not None) == (is_apart, is_apart)


def test_people_are_told_when_little_is_left(settings: Settings) -> None:
    settings.RESERVED_DISK_BYTES = 1
    assert disk_alarm() == ""

    settings.RESERVED_DISK_BYTES = 1 << 60
    found = disk_alarm()

    if free_bytes() is None:
        assert found == ""
    else:
        assert found.startswith("The disk is nearly full: ")


def test_a_postgresql_database_may_become_as_large_as_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    if configured.INBOX_ALIAS != "default":
        pytest.skip("SQLite watches its disk")
    monkeypatch.setattr(storage, "_looked", storage._Looked())
    monkeypatch.setattr(storage, "SIZE_SECONDS", 1_000.0)
    size, mib = instance_size().database_bytes, 1024 * 1024
    settings.RESERVED_DISK_BYTES = 16 * mib

    with django_assert_num_queries(0):
        assert (free_bytes(), disk_alarm()) == (None, "")
    settings.DATABASE_MAX_BYTES = (size // mib + 100) * mib
    with django_assert_num_queries(1):
        assert 99 * mib <= (free_bytes() or 0) <= 101 * mib
        assert disk_alarm() == ""
    settings.DATABASE_MAX_BYTES = mib
    with django_assert_num_queries(0):
        assert disk_alarm().startswith("The database is nearly as large as it may become: 0 of 1 MiB are left")
