"""What those who run the instance see of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from deploys.models import ScheduledJob
from tests.conftest import NOON
from tests.factories.catalog import UserFactory

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("noon")]


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(UserFactory(is_superuser=True))
    return client


def a_job(name: str, **fields: object) -> None:
    known = {"period_seconds": 60, "due_at": NOON, "last_started_at": NOON, "last_finished_at": NOON}
    ScheduledJob.objects.create(name=name, **known | fields)


def test_jobs_in_trouble_come_first_with_what_they_ended_with(administrator: Client) -> None:
    a_job("a.well")
    a_job("b.at_work", leased_until=NOON + dt.timedelta(minutes=1))
    a_job("c.overdue", due_at=NOON - dt.timedelta(minutes=4))
    a_job("d.failed", last_error="ValueError('<odd>')")
    a_job("e.new", last_started_at=None, last_finished_at=None)

    answer = administrator.get(reverse("instance"))

    told = [(line.job.name, line.state) for line in answer.context["jobs"]]
    assert told == [
        ("c.overdue", "overdue"),
        ("d.failed", "failed"),
        ("a.well", "well"),
        ("b.at_work", "at work"),
        ("e.new", "not yet run"),
    ]
    assert "ValueError(&#x27;&lt;odd&gt;&#x27;)" in answer.content.decode()
    assert answer.context["troubled_count"] == 2


def test_before_the_first_worker_it_says_how_to_start_one(administrator: Client) -> None:
    answer = administrator.get(reverse("instance"))

    assert "manage.py serve" in answer.content.decode()


def test_the_account_leads_there_and_only_administrators_of_the_instance(administrator: Client) -> None:
    assert reverse("instance") in administrator.get(reverse("account")).content.decode()

    administrator.force_login(UserFactory())

    assert reverse("instance") not in administrator.get(reverse("account")).content.decode()
    assert administrator.get(reverse("instance")).status_code == 404
