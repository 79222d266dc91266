"""What the workers of this room do when woken."""

from __future__ import annotations

from celery import shared_task

from deploys import clock
from deploys.actions import schedules
from deploys.actions.deliveries import forget_old_deliveries

FORGET = "deploys.forget_old_deliveries"
FORGET_SECONDS = 6 * 3600.0


@shared_task(name=FORGET, ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def forget_deliveries() -> None:
    """Keeps the delivery log at its thirty days."""
    try:
        forget_old_deliveries(now=clock.now())
    finally:
        schedules.finish(FORGET, now=clock.now())
