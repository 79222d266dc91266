"""Pings as Healthchecks documents them have the effects that were written down first: once, twice and reversed.

A ping without a run's id is no repetition of another: it says that the job ran again. One with an id is.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from deploys import clock
from deploys.models import Service
from incidents.actions import detection
from incidents.models import Incident, Job, JobRun, PingKey
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, ServiceFactory

pytestmark = [pytest.mark.django_db(databases="__all__")]
EXPECTED = json.loads((Path(__file__).parent / "expected" / "healthchecks.json").read_text(encoding="utf-8"))


@pytest.fixture
def requests(shared: Path) -> list[dict[str, Any]]:
    path = shared / "fixtures" / EXPECTED["folder"] / EXPECTED["file"]
    return list(json.loads(path.read_text(encoding="utf-8"))["requests"])


@pytest.fixture
def shop(requests: list[dict[str, Any]]) -> Service:
    service = ServiceFactory.create(name="shop")
    Job.objects.create(
        service=service, environment=EnvironmentFactory(team=service.team), slug="backup", created_at=NOON,
        public_id=requests[0]["path"].rpartition("/")[2],
    )  # fmt: skip
    PingKey.objects.create(service=service, key=requests[3]["path"].split("/")[2])
    return service


def send(client: Client, requests: list[dict[str, Any]], *, first_minute: int = 0) -> list[list[Any]]:
    answers = []
    for minute, each in enumerate(requests, start=first_minute):
        with clock.at(NOON + dt.timedelta(minutes=minute)):
            answer = client.generic(each["method"], each["path"], each.get("body", ""), content_type="text/plain")
            detection.run(now=clock.now())
        answers.append([answer.status_code, answer.content.decode() or {200: "OK", 201: "Created"}[answer.status_code]])
    return answers


def runs() -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for slug, status in JobRun.objects.values_list("job__slug", "status"):
        found.setdefault(slug, Counter())[status] += 1
    return {slug: dict(counts) for slug, counts in found.items()}


@pytest.mark.parametrize("way", ["once", "twice", "reversed"])
@pytest.mark.usefixtures("shop")
def test_pings_have_the_expected_effect(client: Client, requests: list[dict[str, Any]], way: str) -> None:
    if way == "twice":
        send(client, requests)
    ordered = requests[::-1] if way == "reversed" else requests
    expected = EXPECTED[way]

    answers = send(client, ordered, first_minute=10 if way == "twice" else 0)

    standing = Incident.objects.filter(duplicate_of=None, is_dismissed=False)
    assert answers == expected["answers"]
    assert runs() == expected["runs"]
    assert standing.count() == expected["incidents"]
    assert sum(each.is_open for each in standing) == expected["open"]
