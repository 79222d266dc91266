"""Jobs that people describe and that ping: addresses, answers, pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from deploys import clock
from deploys.models import Role
from incidents.actions import pings
from incidents.actions.jobs import sweep_jobs
from incidents.actions.pings import renew_ping_key
from incidents.models import Job, JobRun
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, ServiceFactory
from tests.factories.incidents import service_of
from tests.incidents.views.pages import Desk, desk, read

pytestmark = [pytest.mark.django_db(databases="__all__")]


@pytest.fixture(autouse=True)
def noon() -> Any:
    with clock.at(NOON):
        yield


def later(minutes: float) -> Any:
    return clock.at(NOON + dt.timedelta(minutes=minutes))


def described(at: Desk, **more: Any) -> Job:
    values = {
        "slug": "nightly", "cron": "30 12 * * *", "zone": "UTC", "margin_minutes": 5, "longest_minutes": 10, "failures": 1,
        "unit": "day", **more,
    }  # fmt: skip
    answer = at.post("job-new", service_of(at.team).public_id, **values)
    assert answer.status_code == 302, answer.content
    return Job.objects.get()


def page_of(at: Desk, job: Job) -> str:
    return read(at.get("job-detail", job.service.public_id, job.public_id))


def test_a_described_job_is_missed_when_it_does_not_come(client: Client) -> None:
    at = desk(role=Role.ADMIN)
    job = described(at)
    address = f"/ping/{job.public_id}"

    assert "never heard of" in page_of(at, job)
    with later(33):
        assert "late" in page_of(at, job)
    with later(36):
        sweep_jobs(now=clock.now())
        assert "did not start" in page_of(at, job)
    with later(40):
        client.get(f"{address}/start")
    with later(55):
        sweep_jobs(now=clock.now())
        assert "takes too long" in page_of(at, job)
    with later(24 * 60 + 31):
        client.get(address)
        assert "ended well" in page_of(at, job)
    assert sorted(JobRun.objects.values_list("status", flat=True)) == ["missed", "ok", "timeout"]


def test_a_start_without_a_run_is_ended_by_the_next_end(client: Client) -> None:
    job = described(desk(role=Role.ADMIN))

    with later(1):
        client.post(f"/ping/{job.public_id}/start")
    with later(3):
        client.post(f"/ping/{job.public_id}")

    assert [(run.status, run.took) for run in JobRun.objects.all()] == [("ok", dt.timedelta(minutes=2))]


def test_a_backup_tells_what_it_made_and_what_is_odd_is_said(client: Client) -> None:
    at = desk(role=Role.ADMIN)
    job = described(at, is_backup="on")
    rid = "123e4567-e89b-12d3-a456-426614174000"

    for day, size in enumerate((1000, 1100, 900)):
        with clock.at(NOON + dt.timedelta(days=day, minutes=30)):
            client.get(f"/ping/{job.public_id}", {"bytes": size})
    with clock.at(NOON + dt.timedelta(days=3, minutes=30)):
        client.post(
            f"/ping/{job.public_id}?rid={rid}", {"bytes": 10, "checksum": "sha256:ab", "restored": False},
            content_type="application/json",
        )  # fmt: skip
        page = page_of(at, job)

    assert "Its size is 0.01 times the usual one." in page
    assert "The last try to restore it failed." in page
    assert "10 bytes sha256:ab failed" in page.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"bytes": "many"}', b"x" * 20_000])
def test_what_a_job_prints_is_no_matter(client: Client, body: bytes) -> None:
    job = described(desk(role=Role.ADMIN))

    answer = client.post(f"/ping/{job.public_id}", body, content_type="application/json")

    assert (answer.status_code, answer.content) == (200, b"OK")
    assert JobRun.objects.get().artifact is None


def test_addresses_that_lead_nowhere(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk(role=Role.ADMIN)
    job = described(at)
    key = renew_ping_key(service=job.service).key
    monkeypatch.setattr(pings, "MOST_JOBS", 1)

    def answer(path: str) -> tuple[int, str]:
        got = client.get(f"/ping/{path}")
        return got.status_code, got.content.decode()

    assert answer(f"{job.public_id}/stop") == (404, "not found")
    assert answer(f"{job.public_id}?rid=x") == (400, "invalid uuid format")
    assert answer("00000000-0000-7000-8000-000000000000") == (404, "not found")
    assert answer("nokey/nightly") == (404, "not found")
    assert answer(f"{key}/other") == (404, "not found")
    assert answer(f"{key}/other?create=1") == (403, "A service has at most 1 jobs.")
    assert answer(f"{key}/nightly?rid=x") == (400, "invalid uuid format")
    assert answer(f"{key}/nightly/stop") == (404, "not found")
    assert answer(f"{key}/nightly") == (200, "OK")
    Job.objects.create(
        service=job.service,
        environment=EnvironmentFactory(team=at.team, name="staging"),
        slug="nightly",
        created_at=NOON,
    )
    assert answer(f"{key}/nightly") == (409, "ambiguous slug")
    assert client.put(f"/ping/{job.public_id}").status_code == 405
    at.post("ping-key", job.service.public_id, job=str(job.public_id))
    assert answer(f"{key}/nightly") == (404, "not found")
    job.service.retired_at = NOON
    job.service.save(update_fields=["retired_at"])
    assert answer(str(job.public_id)) == (404, "not found")


@pytest.mark.parametrize(
    "bad",
    [{"cron": "every day"}, {"cron": "", "every": 3, "unit": "fortnight"}, {"slug": "a b"}, {"cron": "0 0 31 2 *"}],
)
def test_schedules_that_cannot_be_kept_are_refused(bad: dict[str, Any]) -> None:
    at = desk(role=Role.ADMIN)
    values = {
        "slug": "a",
        "cron": "0 3 * * *",
        "zone": "UTC",
        "margin_minutes": 5,
        "longest_minutes": 10,
        "failures": 1,
    }

    assert at.post("job-new", service_of(at.team).public_id, **(values | bad)).status_code == 422
    assert Job.objects.count() == 0


def test_a_schedule_is_changed_and_addresses_are_for_those_who_work() -> None:
    at = desk(role=Role.ADMIN)
    job = described(at)
    viewer = desk(role=Role.VIEWER, team=at.team)

    at.post(
        "job-detail", job.service.public_id, job.public_id, cron="", every=2, unit="hour", zone="UTC", margin_minutes=5,
        longest_minutes=10, failures=2, is_backup="on",
    )  # fmt: skip

    job.refresh_from_db()
    assert (job.slug, job.schedule_words, job.failure_threshold, job.is_backup) == ("nightly", "every 2 hours", 2, True)
    assert str(job.public_id) in at.get("job-detail", job.service.public_id, job.public_id).content.decode()
    assert "Where it pings" not in page_of(viewer, job)
    assert viewer.client.post(viewer.url("job-detail", job.service.public_id, job.public_id)).status_code == 403
    assert "nightly never heard of" in read(at.get("service-detail", job.service.public_id))


def test_a_job_of_another_service_is_not_found() -> None:
    at = desk(role=Role.ADMIN)
    job = described(at)
    other = ServiceFactory(team=at.team)

    assert at.get("job-detail", other.public_id, job.public_id).status_code == 404
