"""Jobs by their check-ins: runs become checks, and silence does when its time has come.

A job's row is locked while its reports are taken in or its silence is judged, so reports of one run may come in any
order, twice, and to several workers. Each run that ended, ran too long or did not come is one check under the job's own
source; detection opens an incident when as many in a row failed as the job declares.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Min

from deploys.actions.catalog import environments_by_name
from deploys.actions.own_flags import OwnFlag, switched_off
from deploys.models import Environment, Service
from incidents.actions.cardinality import MOST_ENVIRONMENTS
from incidents.actions.checks import note_checks
from incidents.domain.jobs import ERROR, IN_PROGRESS, MISSED, OK, TIMEOUT, Report, Run, run_of
from incidents.formats.check_ins import LATEST, CheckIn, JobConfig
from incidents.formats.schedules import BadSchedule, run_after, run_expected_after_start
from incidents.models import Check, InboxItem, Job, JobRun

#: Jobs of one service; a sender that makes up names fills no table.
MOST_JOBS = 500
#: Missed runs in a row that are written down; after them nothing new is learned until the job reports.
MOST_MISSED = 20
#: Who has not looked for this long was away: nobody knows whether a job reported meanwhile.
AWAY = dt.timedelta(minutes=5)
KEPT = dt.timedelta(days=90)
CHUNK = 1_000
Received = tuple[CheckIn, dt.datetime]


def record_check_ins(*, service: Service, check_ins: Sequence[Received], now: dt.datetime) -> int:
    """Takes in reports (each with its instant by our clock); how many were of jobs that the service may have."""
    if not check_ins:
        return 0
    with transaction.atomic():
        return _record(service, check_ins, now)


def _record(service: Service, check_ins: Sequence[Received], now: dt.datetime) -> int:
    by_job: dict[tuple[int, str], list[Received]] = defaultdict(list)
    environments = environments_by_name(
        team=service.team, names={each.environment for each, _ in check_ins}, now=now, most=MOST_ENVIRONMENTS,
    )  # fmt: skip
    for check_in, at in check_ins:
        by_job[environments[check_in.environment].pk, check_in.slug].append((check_in, at))
    taken = 0
    for job in _locked_jobs(service, list(by_job), environments.values(), now):
        reports = sorted(by_job[job.environment_id, job.slug], key=lambda each: each[1])
        _configure(job, reports)
        runs = _take_in(job, reports)
        _settle(job, runs, now)
        taken += len(reports)
    return taken


@transaction.atomic
def reschedule(*, job: Job, config: JobConfig, is_backup: bool, now: dt.datetime) -> Job:
    """The job keeps this schedule from now on, as a person says; what it declares itself later takes its place."""
    job = Job.objects.select_for_update(of=("self",)).select_related("service", "environment").get(pk=job.pk)
    is_new = _schedule_of(job) != (config.kind, config.schedule, config.zone)
    _apply(job, config)
    job.configured_at, job.is_backup = now, is_backup
    if not job.schedule:
        job.expected_at = None
    elif is_new or job.expected_at is None:
        job.expected_at = run_after(*_schedule_of(job), now)
    _finish(job)
    return job


def sweep_jobs(*, now: dt.datetime, last_swept_at: dt.datetime | None = None) -> int:
    """Judges the silence of jobs that are due; how many were looked at.

    A job whose service still has undigested reports is judged as of the oldest of them. After an absence (AWAY) runs that
    should have come meanwhile are passed over: their reports may have been refused. Jobs of teams that switched this off wait.
    """
    was_away = last_swept_at is not None and now - last_swept_at > AWAY
    looked = 0
    due = Job.objects.filter(due_at__lte=now, service__retired_at__isnull=True).order_by("due_at", "pk")
    due = due.exclude(service__team__in=switched_off(OwnFlag.JOBS, now=now))
    for pk, number in list(due.values_list("pk", "service__number")[:CHUNK]):
        oldest = InboxItem.objects.filter(project=number).aggregate(at=Min("received_at"))["at"]
        as_of = min(now, oldest) if oldest is not None else now
        with transaction.atomic():
            job = Job.objects.select_for_update(of=("self",)).filter(pk=pk, due_at__lte=as_of).first()
            if job is not None:
                _judge(job, as_of, was_away=was_away)
                looked += 1
    return looked


def forget_runs(*, now: dt.datetime) -> int:
    """Deletes runs older than KEPT; how many."""
    deleted = 0
    while True:
        ids = list(JobRun.objects.filter(started_at__lt=now - KEPT).values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return deleted
        deleted += JobRun.objects.filter(pk__in=ids).delete()[0]


def _locked_jobs(
    service: Service, keys: Sequence[tuple[int, str]], environments: Iterable[Environment], now: dt.datetime
) -> list[Job]:
    """The jobs of these (environment, slug), made where they are new and allowed, locked in order."""
    wanted = Job.objects.filter(
        service=service, environment__in=list(environments), slug__in={slug for _, slug in keys}
    )  # fmt: skip
    known = set(wanted.values_list("environment_id", "slug"))
    missing = [key for key in keys if key not in known]
    if missing:
        free = max(0, MOST_JOBS - Job.objects.filter(service=service).count())
        Job.objects.bulk_create(
            [
                Job(service=service, environment_id=environment, slug=slug, created_at=now)
                for environment, slug in sorted(missing)[:free]
            ],
            ignore_conflicts=True,
        )
    rows = wanted.select_for_update(of=("self",)).order_by("pk")
    return [job for job in rows if (job.environment_id, job.slug) in set(keys)]


def _configure(job: Job, reports: Sequence[Received]) -> None:
    """The schedule that was told last stands; another one makes the job expected anew."""
    told = [(at, check_in.config) for check_in, at in reports if check_in.config is not None]
    if not told or (job.configured_at is not None and told[-1][0] < job.configured_at):
        return
    at, config = told[-1]
    if _schedule_of(job) != (config.kind, config.schedule, config.zone):
        job.expected_at = None
    job.configured_at = at
    _apply(job, config)


def _schedule_of(job: Job) -> tuple[str, str, str]:
    return job.schedule_kind, job.schedule, job.zone


def _apply(job: Job, config: JobConfig) -> None:
    job.schedule_kind, job.schedule, job.zone = config.kind, config.schedule, config.zone
    job.margin_seconds, job.max_runtime_seconds = config.margin_seconds, config.max_runtime_seconds
    job.failure_threshold, job.recovery_threshold = config.failure_threshold, config.recovery_threshold


def _take_in(job: Job, reports: Sequence[Received]) -> list[JobRun]:
    """The runs that these reports tell of, joined with what was known of them; not saved yet."""
    ids = {check_in.run_id for check_in, _ in reports} - {LATEST}
    runs = {run.run_id: run for run in JobRun.objects.filter(job=job, run_id__in=ids)}
    touched: dict[str, JobRun] = {}
    for check_in, at in reports:
        run_id = check_in.run_id if check_in.run_id != LATEST else _latest_open(job, runs)
        if not run_id:
            run_id = _made_up_id(job, at)
        report = Report(at=at, status=check_in.status, seconds=check_in.seconds)
        row = runs.get(run_id)
        if row is None:
            row = runs[run_id] = JobRun(job=job, run_id=run_id, started_at=report.started_at)
        _join(row, run_of([report]))
        row.release = check_in.release or row.release
        touched[run_id] = row
    return list(touched.values())


def _latest_open(job: Job, runs: dict[str, JobRun]) -> str:
    """The id of the latest run that has not ended, of those at hand and those stored; empty where there is none."""
    stored = JobRun.objects.filter(job=job, told_at__isnull=True).exclude(status=MISSED).order_by("-started_at").first()
    if stored is not None:
        runs.setdefault(stored.run_id, stored)
    still = [run for run in runs.values() if run.told_at is None]
    return max(still, key=lambda run: run.started_at).run_id if still else ""


def _made_up_id(job: Job, at: dt.datetime) -> str:
    return hashlib.blake2b(f"{job.pk} {at.isoformat()}".encode(), digest_size=16).hexdigest()


def _known(row: JobRun) -> Run:
    end = Report(row.told_at, row.told_status, row.seconds) if row.told_at is not None else None
    return Run(row.started_at, end)


def _join(row: JobRun, news: Run) -> None:
    whole = _known(row).joined(news)
    row.started_at = whole.started_at
    if whole.end is not None:
        row.told_at, row.told_status, row.seconds = whole.end.at, whole.end.status, whole.end.seconds


def _settle(job: Job, runs: Sequence[JobRun], now: dt.datetime) -> None:
    """Saves runs with their outcomes and checks, and brings the job's own row up to date."""
    for row in sorted(runs, key=lambda run: run.started_at):
        status = _known(row).outcome(max_runtime=_max_runtime(job), now=row.started_at)
        if row.pk is None or row.status != TIMEOUT or row.told_at is not None:
            row.status = status
        _check(job, row, now)
        row.save()
        if job.last_at is None or row.started_at >= job.last_at:
            job.last_at, job.last_status = row.started_at, row.status
        job.missed_in_row = 0
        _expect(job, row.started_at)
    _finish(job)


def _check(job: Job, row: JobRun, now: dt.datetime) -> None:
    """One check for the outcome of a run; where the outcome has changed, in place of the one before."""
    if row.status == IN_PROGRESS:
        return
    timed_out_at = row.started_at + _max_runtime(job)
    at = timed_out_at if row.status == TIMEOUT else row.told_at or row.started_at
    mine = Check.objects.filter(service=job.service_id, environment=job.environment_id, source=job.source)
    if row.checked_at is not None:
        if mine.filter(at=row.checked_at, ok=row.status == OK).exists() and row.checked_at == at:
            return
        mine.filter(at=row.checked_at).delete()
    row.checked_at = at
    problem = {
        OK: "",
        ERROR: "the job said that it failed",
        TIMEOUT: f"ran longer than {job.max_runtime_seconds // 60} min",
        MISSED: "did not start when it was expected",
    }[row.status]
    _add_check(job, at, problem, row.seconds, now)


def _add_check(job: Job, at: dt.datetime, problem: str, seconds: float | None, now: dt.datetime) -> None:
    check = Check(
        service_id=job.service_id, environment_id=job.environment_id, source=job.source, at=at, received_at=now,
        ok=not problem, latency_ms=None if seconds is None else seconds * 1000, problem=problem,
    )  # fmt: skip
    Check.objects.bulk_create([check], ignore_conflicts=True)
    if problem:
        job.failing_since = at if job.failing_since is None else min(at, job.failing_since)
    elif job.failing_since is not None:
        mine = Check.objects.filter(service=job.service_id, environment=job.environment_id, source=job.source)
        last = list(mine.order_by("-at").values_list("ok", flat=True)[: job.recovery_threshold])
        if len(last) == job.recovery_threshold and all(last):
            job.failing_since = None
    note_checks([check])


def _expect(job: Job, started_at: dt.datetime) -> None:
    """A run started: the next one is expected by the schedule, never earlier than it was already."""
    if not job.schedule:
        return
    try:
        following = run_expected_after_start(*_schedule_of(job), started_at)
    except BadSchedule:
        job.expected_at = None
        return
    job.expected_at = following if job.expected_at is None else max(following, job.expected_at)


def _finish(job: Job) -> None:
    """Saves the job with the next instant at which it must be looked at."""
    running = JobRun.objects.filter(job=job, status=IN_PROGRESS).aggregate(at=Min("started_at"))["at"]
    waits = [running + _max_runtime(job)] if running is not None else []
    waits += [job.expected_at + _margin(job)] if job.expected_at is not None else []
    job.due_at = min(waits, default=None)
    job.save()


def _judge(job: Job, as_of: dt.datetime, *, was_away: bool) -> None:
    for row in JobRun.objects.filter(
        job=job, status=IN_PROGRESS, started_at__lte=as_of - _max_runtime(job)
    ).order_by("started_at"):  # fmt: skip
        row.status = TIMEOUT
        _check(job, row, as_of)
        row.save(update_fields=["status", "checked_at"])
        if job.last_at == row.started_at:
            job.last_status = TIMEOUT
    while job.expected_at is not None and job.expected_at + _margin(job) <= as_of:
        if not was_away and job.missed_in_row < MOST_MISSED:
            _miss(job, job.expected_at, as_of)
        idle = was_away or job.missed_in_row >= MOST_MISSED
        try:
            job.expected_at = run_after(*_schedule_of(job), max(job.expected_at, as_of) if idle else job.expected_at)
        except BadSchedule:
            job.expected_at = None
    _finish(job)


def _miss(job: Job, expected_at: dt.datetime, now: dt.datetime) -> None:
    _, is_new = JobRun.objects.get_or_create(
        job=job, run_id=_made_up_id(job, expected_at),
        defaults={"status": MISSED, "started_at": expected_at, "checked_at": expected_at + _margin(job)},
    )  # fmt: skip
    job.missed_in_row += 1
    job.last_status, job.last_at = MISSED, expected_at
    if is_new:
        _add_check(job, expected_at + _margin(job), "did not start when it was expected", None, now)


def _margin(job: Job) -> dt.timedelta:
    return dt.timedelta(seconds=job.margin_seconds)


def _max_runtime(job: Job) -> dt.timedelta:
    return dt.timedelta(seconds=job.max_runtime_seconds)
