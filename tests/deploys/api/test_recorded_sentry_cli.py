"""Recorded commands of sentry-cli: answered and recorded as tests/conformance/expected/sentry-cli.json says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from deploys.domain.instants import instant_text
from deploys.models import Commit, Delivery, Deploy, Release, Team
from tests.factories.access import bearer
from tests.factories.catalog import ServiceFactory, TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.conformance]

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "conformance" / "expected" / "sentry-cli.json").read_text(encoding="utf-8")
)
STORIES: dict[str, Any] = EXPECTED["recordings"]


def commands(shared: Path, name: str) -> list[dict[str, Any]]:
    """The recorded commands that ask the release API, each with those of its requests that do."""
    recorded = json.loads((shared / "fixtures" / "sentry-cli" / f"{name}.json").read_text(encoding="utf-8"))
    found = []
    for each in recorded["commands"]:
        requests = [request for request in each["requests"] if request["path"].startswith("/api/0/")]
        if len(requests) == len(each["requests"]):
            found.append({"command": each["command"], "requests": requests})
    return found


def send(client: Client, headers: dict[str, str], request: dict[str, Any]) -> int:
    answer = client.generic(
        request["method"], request["path"], request["body"], content_type="application/json", headers=headers
    )
    assert answer.headers["Content-Type"] == "application/json"
    return int(answer.status_code)


def acme() -> tuple[Team, dict[str, str]]:
    team = TeamFactory(slug="acme")
    ServiceFactory(team=team, name="shop")
    return team, bearer(team)


def records() -> dict[str, Any]:
    """Releases and deploys as the expectations name them."""
    releases = [
        {
            "service": release.service.name, "version": release.version, "url": release.url,
            "released_at": instant_text(release.released_at) if release.released_at else None,
            "is_archived": release.archived_at is not None,
            "commits": sorted(release.commit_links.values_list("commit__sha", flat=True)), "files": release.files,
        }
        for release in Release.objects.select_related("service").order_by("service__name", "version")
    ]  # fmt: skip
    deploys = [
        {
            "service": deploy.service.name, "environment": deploy.environment.name, "status": deploy.status,
            "started_at": instant_text(deploy.started_at),
            "finished_at": instant_text(deploy.finished_at) if deploy.finished_at else None,
            "description": deploy.description, "url": deploy.url,
            "commits": sorted(deploy.commits.values_list("sha", flat=True)), "files": deploy.files,
        }
        for deploy in Deploy.objects.select_related("service", "environment").order_by("service__name", "environment__name", "started_at")
    ]  # fmt: skip
    return {"releases": releases, "deploys": deploys}


@pytest.mark.parametrize("name", STORIES)
def test_each_command_is_answered_and_logged(client: Client, shared: Path, name: str) -> None:
    _, headers = acme()

    seen = []
    for each in commands(shared, name):
        before = Delivery.objects.count()
        answers = [send(client, headers, request) for request in each["requests"]]
        lines = Delivery.objects.order_by("pk")[before:].values_list("event", "service__name", "verdict", "reason")
        seen.append({"command": each["command"], "answers": answers, "log": [list(line) for line in lines]})

    assert seen == STORIES[name]["commands"]
    assert records() == STORIES[name]["records"]
    assert set(Delivery.objects.values_list("kind", flat=True)) == {"sentry-cli"}
    for commit in Commit.objects.all():
        at = instant_text(commit.committed_at) if commit.committed_at else None
        assert [at, commit.author, commit.title] == EXPECTED["commits"][commit.sha]


@pytest.mark.parametrize("name", STORIES)
def test_each_request_sent_twice_leaves_the_same(client: Client, shared: Path, name: str) -> None:
    _, headers = acme()

    for each in commands(shared, name):
        for request in each["requests"]:
            send(client, headers, request)
            again = Delivery.objects.count()
            send(client, headers, request)
            verdicts = set(Delivery.objects.order_by("pk")[again:].values_list("verdict", flat=True))
            assert verdicts <= {"duplicate"}, each["command"]

    assert records() == STORIES[name]["records"]


@pytest.mark.parametrize("name", STORIES)
def test_the_story_backwards(client: Client, shared: Path, name: str) -> None:
    _, headers = acme()

    for each in reversed(commands(shared, name)):
        for request in reversed(each["requests"]):
            assert send(client, headers, request) < 500

    assert records() == STORIES[name]["records_in_reverse"]
