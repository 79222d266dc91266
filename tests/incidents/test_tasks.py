"""What runs by itself in this room, and how it is switched off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from pytest_django import Settings

from deploys.actions import schedules
from deploys.models import ScheduledJob
from incidents import tasks
from incidents.actions import detection, retention, teaching
from incidents.models import ErrorEvent
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("noon")]


def job() -> ScheduledJob:
    return ScheduledJob.objects.get(name=tasks.RETENTION)


@pytest.fixture
def scheduled() -> None:
    schedules.ensure_rows(now=NOON)


@pytest.mark.usefixtures("scheduled")
def test_a_clean_up_gives_its_lease_back() -> None:
    ServiceFactory.create()

    tasks.clean_up()

    assert (job().last_finished_at, job().last_error, ErrorEvent.objects.count()) == (NOON, "", 0)


@pytest.mark.usefixtures("scheduled")
def test_a_clean_up_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr(retention, "clean_up", fails)

    with pytest.raises(ValueError, match="odd"):
        tasks.clean_up()

    assert job().last_error == "ValueError('odd')"


@pytest.mark.usefixtures("scheduled")
def test_no_worker_is_woken_where_it_is_switched_off(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[object] = []
    monkeypatch.setattr(tasks.clean_up, "apply_async", lambda **keys: woken.append(keys))

    tasks.wake_clean_up()
    settings.RETENTION = False
    tasks.wake_clean_up()

    assert (woken, job().last_finished_at) == ([{"retry": False, "expires": 60}], NOON)


@pytest.mark.usefixtures("scheduled")
def test_only_a_detection_that_takes_long_renews_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    leases = []

    def looks(*, before_each: Callable[[], None], **_: object) -> None:
        before_each()
        leases.append(ScheduledJob.objects.get(name=tasks.DETECT).leased_until)

    monkeypatch.setattr(detection, "run", looks)

    tasks.detect()
    monkeypatch.setattr(tasks, "DETECT_LEASE_SECONDS", -1.0)  # by now it has taken long
    tasks.detect()

    assert leases == [None, NOON + dt.timedelta(seconds=15)]
    assert ScheduledJob.objects.get(name=tasks.DETECT).leased_until is None


@pytest.mark.usefixtures("scheduled")
def test_learning_gives_its_lease_back_and_says_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ScheduledJob.objects.filter(name=tasks.LEARN)
    tasks.learn()
    well = row.get()

    def fails(**_: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr(teaching, "refit_due", fails)
    with pytest.raises(ValueError, match="odd"):
        tasks.learn()

    assert (well.last_finished_at, well.last_error, row.get().last_error) == (NOON, "", "ValueError('odd')")
