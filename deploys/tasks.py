"""What the workers of this room do when woken."""

from __future__ import annotations

from celery import shared_task

from deploys import clock
from deploys.actions import schedules
from deploys.actions.deliveries import forget_old_deliveries
from deploys.actions.flag_checks import fold_old_hours
from deploys.actions.flag_cleanup import archive_proven
from deploys.actions.flag_scans import refresh_references
from deploys.actions.flag_steps import take_healthy_steps
from deploys.actions.flag_switches import note_what_time_changed
from deploys.actions.listing import close_overdue
from deploys.actions.pushes import forget_old_pushes

FORGET = "deploys.forget_old_deliveries"
FORGET_SECONDS = 6 * 3600.0
OVERDUE = "deploys.close_overdue"
OVERDUE_SECONDS = 300.0
TIMED_FLAGS = "deploys.note_timed_flags"
TIMED_FLAGS_SECONDS = 60.0
GONE_FLAGS = "deploys.archive_gone_flags"
GONE_FLAGS_SECONDS = 3600.0


@shared_task(name=FORGET, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def forget_deliveries() -> None:
    """Keeps the delivery log at its thirty days, and pushes at theirs; old checks of flags are added up by day; counts that no scan confirms any more are withdrawn."""
    with schedules.running(FORGET):
        forget_old_deliveries(now=clock.now())
        forget_old_pushes(now=clock.now())
        fold_old_hours(now=clock.now())
        refresh_references(now=clock.now())


@shared_task(name=OVERDUE, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def close_overdue_deploys() -> None:
    """Lists deploys as never finished once their time is over."""
    with schedules.running(OVERDUE):
        close_overdue(now=clock.now())


@shared_task(name=TIMED_FLAGS, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def note_timed_flags() -> None:
    """Takes steps of schedules that waited until services are well; puts what time changed into the timeline."""
    with schedules.running(TIMED_FLAGS):
        note_what_time_changed(now=clock.now())
        take_healthy_steps(now=clock.now())


@shared_task(name=GONE_FLAGS, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def archive_gone_flags() -> None:
    """Archives flags that are proven gone from every code that is live."""
    with schedules.running(GONE_FLAGS):
        archive_proven(now=clock.now())
