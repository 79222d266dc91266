"""Alive and ready."""

import datetime as dt

import pytest
from django.test import Client

from deploys.models import ScheduledJob
from incidents.models import InboxItem
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("noon")]


def a_job(started_at: dt.datetime) -> None:
    ScheduledJob.objects.create(name="sweep", period_seconds=1, due_at=NOON, last_started_at=started_at)


def test_healthz_needs_nothing(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


def test_ready_when_all_is_well(client: Client) -> None:
    a_job(NOON)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert {name: each["ok"] for name, each in answer.json().items()} == {
        "database": True,
        "inbox": True,
        "worker": True,
        "disk": True,
    }


def test_not_ready_without_a_worker(client: Client) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["worker"]) == (503, {"ok": False, "seen": "no worker has run here yet"})


def test_not_ready_with_an_old_backlog(client: Client) -> None:
    a_job(NOON - dt.timedelta(minutes=3))
    InboxItem.objects.create(project=1, kind="envelope", body=b"x", received_at=NOON - dt.timedelta(minutes=6))

    answer = client.get("/readyz").json()

    assert answer["inbox"] == {"ok": False, "seen": "the oldest body has waited 360 s"}
    assert answer["worker"] == {"ok": False, "seen": "the last job started 180 s ago"}
