"""A due job is woken once, by whoever claims it."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import OperationalError

from deploys.actions import schedules
from deploys.models import ScheduledJob
from deploys.signals import nothing_ran
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(schedules, "_jobs", {})
    schedules.register_job("sweep", period_seconds=60, wake=lambda: calls.append("sweep"))
    schedules.ensure_rows(now=NOON)
    return calls


def test_a_due_job_is_woken_once_until_it_finishes(woken: list[str]) -> None:
    assert schedules.wake_due(now=NOON) == ["sweep"]
    assert schedules.wake_due(now=NOON) == []
    assert schedules.wake_due(now=NOON + dt.timedelta(seconds=61)) == []

    schedules.finish("sweep", now=NOON + dt.timedelta(seconds=61))

    assert schedules.wake_due(now=NOON + dt.timedelta(seconds=61)) == ["sweep"]
    assert woken == ["sweep", "sweep"]


def test_a_lost_run_is_claimed_again_when_its_lease_ends(woken: list[str]) -> None:
    schedules.wake_due(now=NOON)

    assert schedules.wake_due(now=NOON + schedules.LEASE) == ["sweep"]


def test_rows_are_made_once_and_follow_the_period(woken: list[str]) -> None:
    schedules.register_job("sweep", period_seconds=5, wake=lambda: None)

    schedules.ensure_rows(now=NOON)

    assert list(ScheduledJob.objects.values_list("name", "period_seconds")) == [("sweep", 5.0)]


def test_an_error_is_kept(woken: list[str]) -> None:
    schedules.finish("sweep", now=NOON, error="no such host")

    assert ScheduledJob.objects.get().last_error == "no such host"


def test_a_run_gives_its_lease_back_however_it_ends(woken: list[str]) -> None:
    schedules.wake_due(now=NOON)

    def fail() -> None:
        with schedules.running("sweep", now=lambda: NOON) as problems:
            problems.append("one went wrong")
            raise OSError("no such host")

    with pytest.raises(OSError, match="no such host"):
        fail()
    failed = ScheduledJob.objects.get()
    with schedules.running("sweep", now=lambda: NOON + dt.timedelta(seconds=1)):
        pass

    assert (failed.leased_until, failed.last_finished_at) == (None, NOON)
    assert failed.last_error == "one went wrong; OSError('no such host')"
    assert ScheduledJob.objects.values_list("last_finished_at", "last_error").get() == (
        NOON + dt.timedelta(seconds=1),
        "",
    )


def test_a_clock_that_is_set_back_stops_no_job(woken: list[str]) -> None:
    schedules.wake_due(now=NOON)
    schedules.finish("sweep", now=NOON)
    back = NOON - dt.timedelta(hours=1)

    assert schedules.wake_due(now=back) == ["sweep"]
    assert schedules.wake_due(now=back) == []
    assert schedules.wake_due(now=back + schedules.LEASE) == ["sweep"]


def heard(answer: Exception | None = None) -> tuple[list[tuple[dt.datetime, dt.datetime]], Callable[..., None]]:
    """What is announced of absences, by a receiver that ends with `answer`."""
    told: list[tuple[dt.datetime, dt.datetime]] = []

    def hear(sender: object, since: dt.datetime, until: dt.datetime, **_: object) -> None:
        told.append((since, until))
        if answer is not None:
            raise answer

    return told, hear


def test_that_no_worker_was_there_is_announced_once(woken: list[str]) -> None:
    told, hear = heard()
    schedules.wake_due(now=NOON)
    later = NOON + dt.timedelta(hours=5)
    nothing_ran.connect(hear, weak=False)
    try:
        schedules.wake_due(now=NOON + schedules.ABSENCE - dt.timedelta(seconds=1))
        schedules.wake_due(now=later)
        schedules.wake_due(now=later + dt.timedelta(seconds=1))
    finally:
        nothing_ran.disconnect(hear)

    assert told == [(NOON, later)]


@pytest.mark.parametrize(("trouble", "jobs"), [(OperationalError("locked"), None), (ValueError("no"), ["sweep"])])
def test_work_goes_on_when_an_absence_cannot_be_noted_unless_the_database_is_away(
    woken: list[str], trouble: Exception, jobs: list[str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    told, hear = heard(trouble)
    schedules.wake_due(now=NOON)
    later = NOON + dt.timedelta(hours=5)
    nothing_ran.connect(hear, weak=False)
    try:
        if jobs is None:
            with pytest.raises(OperationalError):
                schedules.wake_due(now=later)
        else:
            assert schedules.wake_due(now=later) == jobs
            assert "an absence could not be noted" in caplog.text
    finally:
        nothing_ran.disconnect(hear)

    assert told == [(NOON, later)]
