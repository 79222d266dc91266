"""Traffic, losses and outcomes add up; imported totals replace."""

from __future__ import annotations

import pytest

from incidents.actions.traffic import LiveCountsExist, TrafficLine, record_losses, record_outcomes, record_sessions
from incidents.models import IngestCount, LossCount, TrafficCount
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes

pytestmark = [pytest.mark.django_db, pytest.mark.database]
COLUMNS = ("environment__name", "release", "at", "seconds", "count", "failed")


def rows() -> list[tuple[object, ...]]:
    return list(TrafficCount.objects.order_by("at", "release", "pk").values_list(*COLUMNS))


def test_live_increments_add_up_by_minute() -> None:
    service = ServiceFactory.create()
    line = TrafficLine(at=NOON + minutes(0.3), seconds=60, count=3, failed=1, release="r")

    record_sessions(service=service, lines=[line, line], received_at=NOON + minutes(1))
    record_sessions(service=service, lines=[line], received_at=NOON + minutes(59))

    assert rows() == [("production", "r", NOON, 60.0, 9, 3)]


def test_another_hour_of_receipt_has_its_own_row() -> None:
    service = ServiceFactory.create()
    line = TrafficLine(at=NOON, seconds=60, count=1, failed=0)

    for moment in (NOON + minutes(1), NOON + minutes(61)):
        record_sessions(service=service, lines=[line], received_at=moment)

    assert [row[4] for row in rows()] == [1, 1]


def test_imported_totals_replace_what_was_received_with_them() -> None:
    service = ServiceFactory.create()
    for received_at in (None, NOON):
        for count in (5, 7):
            record_sessions(
                service=service,
                lines=[TrafficLine(at=NOON, seconds=900, count=count)],
                received_at=received_at,
                origin=TrafficCount.Origin.IMPORT,
            )

    assert rows() == [("production", "", NOON, 900.0, 7, None)] * 2


def test_an_import_does_not_contradict_what_was_counted_here() -> None:
    service = ServiceFactory.create()
    line = TrafficLine(at=NOON, seconds=60, count=1)
    record_sessions(service=service, lines=[line], received_at=NOON)

    with pytest.raises(LiveCountsExist):
        record_sessions(service=service, lines=[line], received_at=NOON, origin=TrafficCount.Origin.IMPORT)


def test_losses_and_outcomes_add_up_by_hour() -> None:
    service = ServiceFactory.create()

    for quantity in (2, 3):
        record_losses(service=service, losses=[(NOON + minutes(quantity), "queue_overflow", "error", quantity)])
        record_outcomes(service=service, outcomes=[("event", "stored", quantity)], received_at=NOON + minutes(9))

    assert list(LossCount.objects.values_list("hour_at", "reason", "category", "quantity")) == [
        (NOON, "queue_overflow", "error", 5)
    ]
    assert list(IngestCount.objects.values_list("hour_at", "item", "outcome", "quantity")) == [
        (NOON, "event", "stored", 5)
    ]
