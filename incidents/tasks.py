"""What the workers of this room do when woken. Messages carry nothing; what is to be done stands in the database."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from deploys import clock
from deploys.actions import schedules
from incidents.actions import (
    alerts,
    detection,
    drift,
    ingest,
    jobs,
    monitors,
    raw_bodies,
    requests,
    retention,
    retrospectives,
    sessions,
    teaching,
)

logger = logging.getLogger(__name__)

SWEEP = "incidents.sweep_inbox"
SWEEP_SECONDS = 2.0
SWEEP_LEASE_SECONDS = 3.0  # what a worker killed in the middle of it may cost
DETECT_LEASE_SECONDS = 15.0  # what a worker killed in the middle of it may cost; a run that takes longer renews it
DETECT = "incidents.detect"
DETECT_SECONDS = 5.0
MONITORS = "incidents.wake_monitors"
MONITORS_SECONDS = 1.0
JOBS = "incidents.sweep_jobs"
JOBS_SECONDS = 15.0
FORGET = "incidents.forget"
FORGET_SECONDS = 3_600.0
DRIFT = "incidents.find_drift"
DRIFT_SECONDS = 120.0
REMIND = "incidents.remind"
REMIND_SECONDS = 1_800.0
LEARN = "incidents.learn"
LEARN_SECONDS = 600.0
LEARN_LEASE_SECONDS = 300.0

RETENTION = "incidents.clean_up"
RETENTION_PERIOD_SECONDS = 60.0
RETENTION_SECONDS = 20.0  # of work in one run
RETENTION_LEASE_SECONDS = 120.0


@shared_task(name="incidents.drain_inbox", ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def drain_inbox() -> None:
    """Digests what was acknowledged, and has detection look at it."""
    if ingest.drain(now=clock.now(), share=wake_another).stored_count:
        wake_detection()


def wake_drain() -> None:
    """Wakes one worker for the inbox. Raises what the broker raises; nothing is lost then, the sweep looks again."""
    drain_inbox.apply_async(retry=False, expires=600)


def wake_another() -> None:
    """There is more than one batch. Each worker that gets a whole one wakes the next, so all are at it in a second."""
    try:
        wake_drain()
    except OperationalError as error:
        logger.warning("no other worker could be woken", extra={"problem": str(error)})


def sweep_inbox() -> None:
    """Wakes a worker if anything waits: finds what a lost message or a dead worker left behind. Done at once."""
    with schedules.running(SWEEP):
        if ingest.is_waiting():
            wake_drain()


@shared_task(name="incidents.detect", ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def detect() -> None:
    """Looks at dirty issues and checks, and at incidents that are due."""
    with schedules.running(DETECT):
        detection.run(now=clock.now(), before_each=_lease_keeper(DETECT, DETECT_LEASE_SECONDS))


def _lease_keeper(name: str, seconds: float) -> Callable[[], None]:
    """Renews the lease of a job that runs for long; most are over before a third of it."""
    renewed = time.monotonic()

    def keep() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > seconds / 3:
            schedules.renew(name, now=clock.now())
            renewed = time.monotonic()

    return keep


def wake_detection() -> None:
    """Wakes one worker for detection; a lost message costs one period of the schedule."""
    detect.apply_async(retry=False, expires=60)


def sweep_detection() -> None:
    """Wakes a worker if anything is dirty or due."""
    if detection.is_waiting(now=clock.now()):
        wake_detection()
    else:
        schedules.finish(DETECT, now=clock.now())


@shared_task(name="incidents.run_monitors", ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def run_monitors() -> None:
    """Asks the monitors that are due, and has detection look when a check failed."""
    if monitors.run_due(now=clock.now()):
        wake_detection()


def wake_monitors() -> None:
    """Wakes a worker if a monitor is due. Claims are made by the worker, so this is done at once."""
    with schedules.running(MONITORS):
        if monitors.is_due(now=clock.now()):
            run_monitors.apply_async(retry=False, expires=30)


@shared_task(name=JOBS, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_jobs() -> None:
    """Judges the silence of jobs, and has detection look."""
    with schedules.running(JOBS):
        if jobs.sweep_jobs(now=clock.now(), last_swept_at=schedules.last_finished(JOBS)):
            wake_detection()


def wake_sweep_jobs() -> None:
    """Wakes one worker for it."""
    sweep_jobs.apply_async(retry=False, expires=60)


@shared_task(name="incidents.forget", ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def forget() -> None:
    """Deletes what is remembered of sessions that are over, latencies, runs of jobs and alerts that are too old."""
    with schedules.running(FORGET):
        sessions.forget_sessions(now=clock.now())
        requests.forget_requests(now=clock.now())
        jobs.forget_runs(now=clock.now())
        alerts.forget_alerts(now=clock.now())


def wake_forgetting() -> None:
    """Wakes one worker for it."""
    forget.apply_async(retry=False, expires=600)


@shared_task(name=RETENTION, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def clean_up() -> None:
    """Deletes reports and raw bodies that are too old or too many, for RETENTION_SECONDS at most; then others may work."""
    started = time.monotonic()

    def goes_on() -> bool:
        return time.monotonic() - started < RETENTION_SECONDS

    with schedules.running(RETENTION):
        while raw_bodies.expire_bodies(now=clock.now()) and goes_on():
            pass
        # pauses as long as the slices, and a moment longer: SQLite's writers look again only now and then
        retention.clean_up(now=clock.now(), goes_on=goes_on, pause=lambda seconds: time.sleep(seconds + 0.02))


def wake_clean_up() -> None:
    """Wakes one worker for it, unless it is switched off."""
    if settings.RETENTION:
        clean_up.apply_async(retry=False, expires=60)
    else:
        schedules.finish(RETENTION, now=clock.now())


@shared_task(name=DRIFT, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def find_drift() -> None:
    """Records deploys that nobody reported, as far as errors and sessions tell."""
    with schedules.running(DRIFT):
        drift.find_drift(now=clock.now())


def wake_drift() -> None:
    """Wakes one worker for it."""
    find_drift.apply_async(retry=False, expires=600)


@shared_task(name=LEARN, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def learn() -> None:
    """Refits the weights of teams that have taught enough since the last time."""
    with schedules.running(LEARN):
        teaching.refit_due(now=clock.now(), before_each=_lease_keeper(LEARN, LEARN_LEASE_SECONDS))


def wake_learning() -> None:
    """Wakes one worker for it."""
    learn.apply_async(retry=False, expires=600)


@shared_task(name=REMIND, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def remind() -> None:
    """Tells of promises that are due or overdue, and of certificates that end soon."""
    with schedules.running(REMIND):
        monitors.warn_of_certificates(now=clock.now())
        retrospectives.remind(now=clock.now())


def wake_reminding() -> None:
    """Wakes one worker for it."""
    remind.apply_async(retry=False, expires=600)
