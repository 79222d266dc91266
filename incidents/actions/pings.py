"""Pings of jobs, taken in at once; jobs that people describe, and the keys that let a job name itself."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any, Final

from django.db import IntegrityError, transaction

from deploys.actions.catalog import environment_of
from deploys.actions.turns import one_write
from deploys.models import Service
from incidents.actions.jobs import MOST_JOBS, record_check_ins, reschedule
from incidents.domain.jobs import IN_PROGRESS
from incidents.formats.check_ins import SLUG, CheckIn, JobConfig
from incidents.formats.pings import LOG, Ping
from incidents.models import Job, JobRun, PingKey

PRODUCTION: Final = "production"


class JobRefused(ValueError):
    """A job that cannot be; the message says why."""


def take_ping(*, job: Job, ping: Ping, now: dt.datetime, artifact: dict[str, Any] | None = None) -> None:  # Any: JSON
    """Records what the ping says of a run of the job, durably. A log ping says nothing.

    An end without a run's id ends the run that began last and may still run; what took too long is over. Each start without
    one is a run of its own, so that a job that died and began again shows the run that never ended.
    """
    if ping.status == LOG:
        return
    with one_write():
        Job.objects.select_for_update(of=("self",)).get(pk=job.pk)  # two pings at once do not end the same run
        run_id = ping.run_id or _run_meant(job, ping, now)
        check_in = CheckIn(
            run_id=run_id, slug=job.slug, status=ping.status, at=None, seconds=None, environment=job.environment.name,
            release="",
        )  # fmt: skip
        record_check_ins(service=job.service, check_ins=[(check_in, now)], now=now)
        if artifact:
            _keep_artifact(job, run_id, artifact)


def _run_meant(job: Job, ping: Ping, now: dt.datetime) -> str:
    running = JobRun.objects.filter(job=job, status=JobRun.Status.IN_PROGRESS).order_by("-started_at").first()
    if ping.status != IN_PROGRESS and running is not None:
        return running.run_id
    return _own_id(job, now)


def _own_id(job: Job, now: dt.datetime) -> str:
    return hashlib.blake2b(f"ping {job.pk} {now.isoformat()}".encode(), digest_size=16).hexdigest()


def _keep_artifact(job: Job, run_id: str, artifact: dict[str, Any]) -> None:  # Any: JSON
    """What the run made is kept with it."""
    row = JobRun.objects.filter(job=job, run_id=run_id).first()
    if row is not None:
        row.artifact = {**(row.artifact or {}), **artifact}
        row.save(update_fields=["artifact"])


def service_of_key(key: str) -> Service | None:
    """The service whose jobs this key pings."""
    rows = PingKey.objects.select_related("service__team").filter(key=key, service__retired_at__isnull=True)
    return next((row.service for row in rows), None)


def job_called(*, service: Service, slug: str, now: dt.datetime, can_create: bool) -> tuple[Job, bool]:
    """The service's job of this name, and whether it is new. Raises Job.DoesNotExist, Job.MultipleObjectsReturned (several
    environments have one), and JobRefused where the service has too many.
    """
    rows = Job.objects.select_related("service__team", "environment").filter(service=service)
    try:
        return rows.get(slug=slug), False
    except Job.DoesNotExist:
        if not can_create:
            raise
    with one_write():
        if rows.count() >= MOST_JOBS:
            raise JobRefused(f"A service has at most {MOST_JOBS} jobs.")
        environment = environment_of(team=service.team, name=PRODUCTION, now=now)
        job, is_new = Job.objects.get_or_create(
            service=service, environment=environment, slug=slug[:SLUG], defaults={"created_at": now}
        )
    return rows.get(pk=job.pk), is_new


@transaction.atomic
def describe_job(
    *, service: Service, slug: str, config: JobConfig, is_backup: bool, now: dt.datetime, environment: str = PRODUCTION
) -> Job:
    """The job with this schedule, made if it is new: it is expected from now on. Raises JobRefused."""
    if not slug or len(slug) > SLUG:
        raise JobRefused(f"A job's name has up to {SLUG} characters.")
    known = Job.objects.filter(service=service, slug=slug, environment__name=environment).exists()
    if not known and Job.objects.filter(service=service).count() >= MOST_JOBS:
        raise JobRefused(f"A service has at most {MOST_JOBS} jobs.")
    found = environment_of(team=service.team, name=environment, now=now)
    job, _ = Job.objects.get_or_create(service=service, environment=found, slug=slug, defaults={"created_at": now})
    return reschedule(job=job, config=config, is_backup=is_backup, now=now)


def renew_ping_key(*, service: Service) -> PingKey:
    """A new key; the one before is no longer taken."""
    key = secrets.token_urlsafe(16)
    try:
        with transaction.atomic():
            row, _ = PingKey.objects.update_or_create(service=service, defaults={"key": key})
    except IntegrityError:  # two at once: whoever came first has made one
        row = PingKey.objects.get(service=service)
    return row
