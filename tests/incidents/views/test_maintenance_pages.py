"""Planned work: announcing, calling off, excusing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deploys import clock
from deploys.models import Fact, Role
from incidents.models import Maintenance
from tests.conftest import NOON
from tests.factories.incidents import service_of
from tests.incidents.views.pages import HOSTILE, desk, words

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def noon_clock() -> Any:
    with clock.at(NOON):
        yield


def announced(at: Any, **more: Any) -> Any:
    data = {"title": "New disks", "starts_at": "2026-03-06T02:00:00", "ends_at": "2026-03-06T04:00:00", **more}
    return at.client.post(at.url("maintenance-list"), data, follow=True)


def test_announced_in_time() -> None:
    at = desk()
    shop = service_of(at.team)

    page = words(announced(at, services=[shop.pk]))

    slot = Maintenance.objects.get()
    assert (slot.title, slot.starts_at, slot.announced_at) == (
        "New disks",
        dt.datetime(2026, 3, 6, 2, tzinfo=dt.UTC),
        NOON,
    )
    assert ([each.name for each in slot.services.all()], slot.is_for_all_services) == (["shop"], False)
    assert Fact.objects.get(kind="maintenance").origin == "person"
    assert "Announced in time: it is left out of uptime." in page
    assert "ahead" in page


def test_told_late_and_excused_by_name() -> None:
    at = desk()

    page = words(announced(at, starts_at="2026-03-04T11:00:00", ends_at="2026-03-04T13:00:00"))
    slot = Maintenance.objects.get()
    assert "Announced too late" in page
    assert "under way" in page

    at.post("maintenance-act", slot.public_id, act="excuse")
    assert Maintenance.objects.get().excused_by == "Ida Holm"
    at.post("maintenance-act", slot.public_id, act="withdraw")
    assert Maintenance.objects.get().excused_by == ""
    at.post("maintenance-act", slot.public_id, act="call-off")
    assert Maintenance.objects.get().is_cancelled


@pytest.mark.parametrize(
    "wrong", [{"title": ""}, {"ends_at": "2026-03-06T02:00:00"}, {"starts_at": "tomorrow"}, {"services": ["999999"]}]
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    at = desk()

    assert announced(at, **wrong).status_code == 422
    assert Maintenance.objects.count() == 0


def test_what_is_over_cannot_be_called_off() -> None:
    at = desk()
    announced(at, starts_at="2026-03-03T11:00:00", ends_at="2026-03-03T13:00:00")

    answer = at.client.post(
        at.url("maintenance-act", Maintenance.objects.get().public_id), {"act": "call-off"}, follow=True
    )

    assert "what took place cannot be called off" in words(answer)
    assert not Maintenance.objects.get().is_cancelled


def test_viewers_and_others() -> None:
    at, other = desk(role=Role.VIEWER), desk()
    announced(other, title=HOSTILE)
    slot = Maintenance.objects.get()

    assert at.get("maintenance-list").status_code == 200
    assert at.post("maintenance-list", title="x").status_code == 403
    assert at.post("maintenance-act", slot.public_id, act="excuse").status_code == 403
    assert desk().post("maintenance-act", slot.public_id, act="excuse").status_code == 404
    assert "<script>alert" not in other.get("maintenance-list").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_list_queries(count: int, django_assert_num_queries: Any) -> None:
    at = desk()
    for _ in range(count):
        announced(at, services=[service_of(at.team).pk])

    with django_assert_num_queries(9):
        at.get("maintenance-list")


def test_work_is_extended_by_another_slot_from_where_it_ends() -> None:
    at = desk()
    shop = service_of(at.team)
    at.post(
        "maintenance-list", title="Move the disk", starts_at="2026-03-06T12:00:00", ends_at="2026-03-06T13:00:00",
        services=[shop.pk],
    )  # fmt: skip
    slot = Maintenance.objects.get()

    page = at.get("maintenance-list", extend=str(slot.public_id)).content.decode()

    assert f"?extend={slot.public_id}#announce" in page
    assert 'value="Move the disk"' in page
    assert 'value="2026-03-06T13:00:00"' in page
    assert "checked" in page
    for nonsense in ("x", "00000000-0000-7000-8000-000000000000"):
        assert 'value="Move the disk"' not in at.get("maintenance-list", extend=nonsense).content.decode()
