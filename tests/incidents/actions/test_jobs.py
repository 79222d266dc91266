"""Jobs: runs in any order, silence in its time, and incidents by the thresholds a job declares."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploys.models import Service
from incidents.actions import detection, jobs
from incidents.actions.jobs import forget_runs, record_check_ins, sweep_jobs
from incidents.formats.check_ins import LATEST, CheckIn, JobConfig
from incidents.models import Check, CheckWatch, InboxItem, Incident, Job, JobRun
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]
ONE, TWO = "1" * 32, "2" * 32
EVERY_TEN = JobConfig("interval", "10 minute", max_runtime_seconds=300)
DAILY = JobConfig("crontab", "0 12 * * *", margin_seconds=300, failure_threshold=2, recovery_threshold=2)


def check_in(status: str = "ok", run: str = ONE, **fields: Any) -> CheckIn:
    given = {"at": None, "seconds": None, "environment": "production", "release": "r", "config": None}
    return CheckIn(run_id=run, slug="nightly", status=status, **(given | fields))


def report(service: Service, *reports: tuple[CheckIn, float]) -> int:
    """Reports of so many minutes after noon."""
    received = [(each, NOON + minutes(at)) for each, at in reports]
    return record_check_ins(
        service=service, check_ins=received, now=NOON + minutes(max((at for _, at in reports), default=0))
    )


def runs() -> list[tuple[str, dt.datetime]]:
    return list(JobRun.objects.order_by("started_at").values_list("status", "started_at"))


def checks() -> list[tuple[dt.datetime, bool, str]]:
    return list(Check.objects.order_by("at").values_list("at", "ok", "problem"))


def test_a_run_from_its_start_to_its_end() -> None:
    service = ServiceFactory.create()

    report(service, (check_in("in_progress", config=EVERY_TEN), 0))
    assert (runs(), checks()) == ([("in_progress", NOON)], [])
    assert Job.objects.values_list("expected_at", "due_at", "last_status").get() == (
        NOON + minutes(10), NOON + minutes(5), "in_progress",
    )  # fmt: skip
    report(service, (check_in("ok", seconds=120.0), 2))

    assert runs() == [("ok", NOON)]
    assert checks() == [(NOON + minutes(2), True, "")]
    assert Check.objects.get().latency_ms == 120_000
    assert Job.objects.values_list("due_at", "last_status", "last_at").get() == (NOON + minutes(11), "ok", NOON)


STEPS = st.lists(
    st.tuples(st.sampled_from([ONE, TWO]), st.sampled_from(["in_progress", "ok", "error"]), st.integers(0, 4)),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, data=st.data())
def test_any_order_repetition_and_batching_gives_the_same_runs(
    steps: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    found = []
    for sent in (steps, data.draw(st.permutations([*steps, *steps]))):
        service = ServiceFactory.create()
        cut = data.draw(st.integers(0, len(sent)))
        for batch in (sent[:cut], sent[cut:]):
            report(service, *((check_in(status, run), at) for run, status, at in batch))
        rows = JobRun.objects.filter(job__service=service).order_by("run_id")
        ended = Check.objects.filter(service=service).order_by("at", "ok")
        found.append((list(rows.values_list("run_id", "status", "started_at", "told_at")), len(ended) <= len(rows)))

    assert found[0] == found[1]
    assert found[0][1]


def test_the_id_of_zeros_means_the_run_in_progress() -> None:
    service = ServiceFactory.create()

    report(service, (check_in("in_progress", ONE), 0), (check_in("in_progress", TWO), 1))
    report(service, (check_in("ok", LATEST), 2))
    report(service, (check_in("error", LATEST), 3))
    report(service, (check_in("ok", LATEST), 4))

    found = JobRun.objects.order_by("started_at", "pk").values_list("run_id", "status")
    assert list(found)[:2] == [(ONE, "error"), (TWO, "ok")]
    assert [status for _, status in found] == ["error", "ok", "ok"]


def test_another_outcome_replaces_the_check_of_the_first() -> None:
    service = ServiceFactory.create()

    report(service, (check_in("ok"), 2))
    report(service, (check_in("error"), 3))
    report(service, (check_in("ok"), 2))

    assert checks() == [(NOON + minutes(3), False, "the job said that it failed")]


def test_a_run_that_takes_too_long_and_ends_well_after_all() -> None:
    service = ServiceFactory.create()
    report(service, (check_in("in_progress", config=EVERY_TEN), 0))

    assert sweep_jobs(now=NOON + minutes(4)) == 0
    assert sweep_jobs(now=NOON + minutes(5)) == 1
    assert (runs(), checks()) == ([("timeout", NOON)], [(NOON + minutes(5), False, "ran longer than 5 min")])
    assert Job.objects.get().last_status == "timeout"
    report(service, (check_in("ok"), 7))
    assert runs() == [("timeout", NOON)]
    assert len(checks()) == 1
    report(service, (check_in("ok", seconds=60.0), 8))

    assert (runs(), checks()) == ([("ok", NOON)], [(NOON + minutes(8), True, "")])


def test_a_job_that_falls_silent_misses_its_runs_until_nothing_new_is_learned() -> None:
    service = ServiceFactory.create()
    report(service, (check_in("ok", config=EVERY_TEN), 0))

    assert sweep_jobs(now=NOON + minutes(10.9)) == 0
    sweep_jobs(now=NOON + minutes(21))
    assert checks()[1:] == [
        (NOON + minutes(11), False, "did not start when it was expected"),
        (NOON + minutes(21), False, "did not start when it was expected"),
    ]
    sweep_jobs(now=NOON + minutes(10_000))
    assert JobRun.objects.filter(status="missed").count() == jobs.MOST_MISSED
    expected_at = Job.objects.get().expected_at
    assert expected_at is not None
    assert expected_at > NOON + minutes(9_999)

    report(service, (check_in("ok", TWO), 10_001))
    job = Job.objects.get()
    assert (job.failing_since, job.missed_in_row, job.last_status) == (None, 0, "ok")


def test_silence_is_judged_as_of_the_oldest_undigested_report() -> None:
    service = ServiceFactory.create()
    report(service, (check_in("ok", config=EVERY_TEN), 0))
    InboxItem.objects.create(project=service.number, kind="envelope", body=b"", received_at=NOON + minutes(10.5))

    assert sweep_jobs(now=NOON + minutes(30)) == 0


def test_runs_that_should_have_come_while_nobody_looked_are_passed_over() -> None:
    service = ServiceFactory.create()
    report(service, (check_in("ok", config=EVERY_TEN), 0))

    sweep_jobs(now=NOON + minutes(60), last_swept_at=NOON + minutes(1))
    assert runs() == [("ok", NOON)]
    sweep_jobs(now=NOON + minutes(71), last_swept_at=NOON + minutes(70.8))

    assert runs() == [("ok", NOON), ("missed", NOON + minutes(70))]


def test_another_schedule_makes_the_job_expected_anew() -> None:
    service = ServiceFactory.create()
    report(service, (check_in("ok", config=DAILY), 1))
    assert Job.objects.get().expected_at == NOON + minutes(24 * 60)

    report(service, (check_in("ok", TWO, config=EVERY_TEN), 2))
    assert Job.objects.get().expected_at == NOON + minutes(12)
    report(service, (check_in("ok", TWO, config=DAILY), 1.5))

    assert Job.objects.get().schedule == "10 minute"


def test_a_job_without_a_schedule_is_never_missed() -> None:
    service = ServiceFactory.create()

    report(service, (check_in("ok"), 0))

    assert Job.objects.values_list("expected_at", "due_at").get() == (None, None)


def test_a_dead_job_opens_an_incident_by_its_own_thresholds_and_two_good_runs_end_it() -> None:
    service = ServiceFactory.create(is_unwatched=True)
    day = 24 * 60
    report(service, (check_in("ok", config=DAILY), 0))
    sweep_jobs(now=NOON + minutes(day + 5))
    detection.run(now=NOON + minutes(day + 6))
    assert Incident.objects.count() == 0

    sweep_jobs(now=NOON + minutes(2 * day + 5))
    detection.run(now=NOON + minutes(2 * day + 6))
    incident = Incident.objects.get()
    assert (incident.title, incident.impact_class) == (
        f"{service.name}: the job nightly does not run as it should", "impactless",
    )  # fmt: skip
    assert (incident.started_at, incident.restored_at) == (NOON + minutes(day + 5), None)

    report(service, (check_in("ok", "3" * 32), 3 * day))
    detection.run(now=NOON + minutes(3 * day + 1))
    assert Incident.objects.get().restored_at is None
    report(service, (check_in("ok", "4" * 32), 4 * day))
    detection.run(now=NOON + minutes(4 * day + 1))

    assert Incident.objects.get().restored_at == NOON + minutes(3 * day)
    service.refresh_from_db()
    assert service.is_unwatched  # a job that runs says nothing of the service's uptime


def test_a_job_outside_production_opens_none_and_leaves_nothing_to_look_at() -> None:
    service = ServiceFactory.create()
    report(service, (check_in("error", environment="staging", config=EVERY_TEN), 0))

    detection.run(now=NOON + minutes(1))

    assert (Incident.objects.count(), CheckWatch.objects.filter(dirty_since__isnull=False).count()) == (0, 0)


def test_made_up_jobs_fill_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_JOBS", 2)
    service = ServiceFactory.create()
    reports = [
        (CheckIn(ONE, f"job{number}", "ok", None, None, "production", ""), NOON) for number in range(5)
    ]  # fmt: skip

    assert record_check_ins(service=service, check_ins=reports, now=NOON) == 2
    assert Job.objects.count() == 2


def test_no_check_ins_cost_no_query() -> None:
    service = ServiceFactory.create()

    with CaptureQueriesContext(connection) as queries:
        record_check_ins(service=service, check_ins=[], now=NOON)

    assert len(queries) == 0


def test_old_runs_are_forgotten() -> None:
    service = ServiceFactory.create()
    report(service, (check_in("ok"), 0), (check_in("ok", TWO), 60))

    assert forget_runs(now=NOON + dt.timedelta(days=90, minutes=1)) == 1
    assert runs() == [("ok", NOON + minutes(60))]
