"""Jobs of a service: described, pinged, and what became of their runs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from deploys import clock
from deploys.domain.instants import optional_instant
from deploys.models import Role, Service
from deploys.views.access import TeamRequest, is_at_least, team_page
from deploys.views.forms import PlainForm, ZoneField
from incidents.actions.pings import JobRefused, describe_job, renew_ping_key
from incidents.domain.backups import BackupRun, backup_warnings
from incidents.formats.check_ins import JobConfig
from incidents.formats.schedules import BadSchedule, crontab, interval, run_after
from incidents.models import Job, JobRun, PingKey
from incidents.views.incidents import BAD_INPUT

MOST_RUNS = 50
UNITS = [("minute", "minutes"), ("hour", "hours"), ("day", "days"), ("week", "weeks"), ("month", "months")]


class JobForm(PlainForm):
    """A job and when it is expected."""

    slug = forms.SlugField(label="Name", max_length=100, help_text="For example nightly-report.")
    cron = forms.CharField(
        label="Crontab line", required=False, max_length=200, help_text="For example 0 3 * * *. Or an interval:"
    )
    every = forms.IntegerField(label="Every", required=False, min_value=1, max_value=10_000)
    unit = forms.ChoiceField(label="Unit", required=False, choices=UNITS)
    zone = ZoneField(label="Time zone of the crontab line")
    margin_minutes = forms.IntegerField(label="May start late by, min", initial=5, min_value=1, max_value=44_640)
    longest_minutes = forms.IntegerField(label="May run for, min", initial=30, min_value=1, max_value=44_640)
    failures = forms.IntegerField(label="Failures in a row that are an incident", initial=1, min_value=1, max_value=720)
    is_backup = forms.BooleanField(label="It makes backups", required=False)

    def clean(self) -> dict[str, Any]:  # Any: cleaned values
        """One schedule or none."""
        data = super().clean() or self.cleaned_data
        try:
            data["kind"], data["schedule"] = self._schedule(data)
        except BadSchedule as problem:
            self.add_error("cron" if data.get("cron") else "every", str(problem))
        return data

    def _schedule(self, data: dict[str, Any]) -> tuple[str, str]:  # Any: cleaned values
        if data.get("cron"):
            line = crontab(data["cron"])
            run_after("crontab", line, "UTC", clock.now())
            return "crontab", line
        if data.get("every"):
            return "interval", interval(data["every"], data.get("unit"))
        return "", ""

    @property
    def config(self) -> JobConfig:
        """What was said."""
        data = self.cleaned_data
        return JobConfig(
            kind=data["kind"], schedule=data["schedule"], zone=data["zone"], margin_seconds=60 * data["margin_minutes"],
            max_runtime_seconds=60 * data["longest_minutes"], failure_threshold=data["failures"],
        )  # fmt: skip


def _service(request: TeamRequest, public_id: uuid.UUID) -> Service:
    return get_object_or_404(Service.objects.select_related("team"), team=request.team, public_id=public_id)


def _job(request: TeamRequest, public_id: uuid.UUID, job_id: uuid.UUID) -> Job:
    rows = Job.objects.select_related("service__team", "environment")
    return get_object_or_404(rows, service__team=request.team, service__public_id=public_id, public_id=job_id)


@require_http_methods(["GET", "POST"])
@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
def job_new(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """Describing a job."""
    service = _service(request, public_id)
    form = JobForm(request.POST or None, initial={"zone": service.team.zone, "unit": "day"})
    job = _described(request, service, form)
    if job is not None:
        messages.success(request, "Described. Now have it ping when it has run.")
        return redirect("job-detail", request.team.slug, service.public_id, job.public_id)
    context = {"service": service, "form": form}
    return render(request, "incidents/job_new.html", context, status=BAD_INPUT if form.errors else 200)


def _described(request: TeamRequest, service: Service, form: JobForm, *, environment: str = "production") -> Job | None:
    if request.method != "POST" or not form.is_valid():
        return None
    data = form.cleaned_data
    try:
        return describe_job(
            service=service, slug=data["slug"], config=form.config, is_backup=data["is_backup"], now=clock.now(),
            environment=environment,
        )  # fmt: skip
    except JobRefused as refused:
        form.add_error("slug", str(refused))
    except BadSchedule as problem:
        form.add_error("cron", str(problem))
    return None


@require_http_methods(["GET", "POST"])
@team_page(write_role=Role.ADMIN)
def job_detail(request: TeamRequest, public_id: uuid.UUID, job_id: uuid.UUID) -> HttpResponse:
    """One job: its runs, where it pings, and its schedule."""
    job = _job(request, public_id, job_id)
    initial = {
        "slug": job.slug, "zone": job.zone, "margin_minutes": max(1, job.margin_seconds // 60),
        "longest_minutes": max(1, job.max_runtime_seconds // 60), "failures": job.failure_threshold,
        "is_backup": job.is_backup, "unit": "day",
    }  # fmt: skip
    if job.schedule_kind == "crontab":
        initial["cron"] = job.schedule
    elif job.schedule:
        initial["every"], initial["unit"] = job.schedule.split()
    form = JobForm(request.POST or None, initial=initial)
    form.fields["slug"].disabled = True
    if _described(request, job.service, form, environment=job.environment.name) is not None:
        messages.success(request, "Saved.")
        return redirect("job-detail", request.team.slug, job.service.public_id, job.public_id)
    runs = list(JobRun.objects.filter(job=job).order_by("-started_at", "-pk")[:MOST_RUNS])
    may_act = is_at_least(request, Role.RESPONDER)
    context = {
        "job": job, "service": job.service, "form": form, "runs": runs, "now": clock.now(),
        "warnings": _warnings(job, runs, clock.now()) if job.is_backup else [],
        "is_late": is_late(job, clock.now()), "may_set": is_at_least(request, Role.ADMIN),
        "address": _address("ping", job.public_id) if may_act else "",
        "named": _named(job) if may_act else "",
        "may_declare": may_act,
    }  # fmt: skip
    return render(request, "incidents/job.html", context, status=BAD_INPUT if form.errors else 200)


def _address(name: str, *arguments: object) -> str:
    address: str = settings.BASE_URL + reverse(name, args=arguments)
    return address


def _named(job: Job) -> str:
    key = PingKey.objects.filter(service=job.service_id).first()
    return _address("ping-by-name", key.key, job.slug) if key is not None else ""


def is_late(job: Job, now: dt.datetime) -> bool:
    """Whether it should have started and may still: late, not yet missed."""
    return job.expected_at is not None and job.expected_at < now


def _warnings(job: Job, runs: list[JobRun], now: dt.datetime) -> list[str]:
    """What is odd about the backups of the runs at hand."""
    good = [_backup_run(run) for run in reversed(runs) if run.status == JobRun.Status.OK]
    longest: dt.timedelta | None = None
    if job.schedule and good:
        expected = run_after(job.schedule_kind, job.schedule, job.zone, good[-1].at)
        longest = 2 * (expected - good[-1].at) + dt.timedelta(seconds=job.margin_seconds)
    return backup_warnings(good, created_at=job.created_at, now=now, longest_age=longest)


def _backup_run(run: JobRun) -> BackupRun:
    told = run.artifact or {}
    return BackupRun(
        at=run.told_at or run.started_at, size=told.get("bytes"), restored=told.get("restored"),
        source_changed_at=optional_instant(told.get("source_changed_at")),
    )  # fmt: skip


@require_POST
@team_page(write_role=Role.ADMIN)
def ping_key(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """A new key for pings by name."""
    service = _service(request, public_id)
    renew_ping_key(service=service)
    messages.success(request, "The key is made. One from before is no longer taken.")
    job = Job.objects.filter(service=service, public_id=_uuid(request.POST.get("job", ""))).first()
    if job is None:
        return redirect("service-detail", request.team.slug, service.public_id)
    return redirect("job-detail", request.team.slug, service.public_id, job.public_id)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
