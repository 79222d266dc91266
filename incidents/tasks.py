"""What the workers of this room do when woken. Messages carry nothing; what is to be done stands in the database."""

from __future__ import annotations

from celery import shared_task

from deploys import clock
from deploys.actions import schedules
from incidents.actions import ingest

SWEEP = "incidents.sweep_inbox"
SWEEP_SECONDS = 2.0
SWEEP_LEASE_SECONDS = 3.0  # what a worker killed in the middle of it may cost


@shared_task(name="incidents.drain_inbox", ignore_result=True)  # type: ignore[untyped-decorator]  # celery has no types
def drain_inbox() -> None:
    """Digests what was acknowledged."""
    ingest.drain(now=clock.now())


def wake_drain() -> None:
    """Wakes one worker for the inbox. Raises what the broker raises; nothing is lost then, the sweep looks again."""
    drain_inbox.apply_async(retry=False, expires=600)


def sweep_inbox() -> None:
    """Wakes a worker if anything waits: finds what a lost message or a dead worker left behind. Done at once."""
    try:
        if ingest.is_waiting():
            wake_drain()
    finally:
        schedules.finish(SWEEP, now=clock.now())
