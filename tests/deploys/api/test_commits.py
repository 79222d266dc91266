"""Commits by the deploy API, and what it says is live."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploys.models import Commit, Deploy, Scope
from tests.conftest import NOON
from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SHA = "8b5b53e71eb05ef988ee0d5c5bb6ce5e643cce75"


def post(client: Client, headers: dict[str, str], **message: Any) -> Any:
    data = json.dumps({"id": "42", "service": "shop", **message})
    return client.post("/api/v1/deploys", data=data, content_type="application/json", headers=headers)


def commit(number: int, **more: Any) -> dict[str, Any]:
    return {
        "sha": f"{number:040}",
        "committed_at": "2026-03-04T11:00:00Z",
        "author": "Ann",
        "title": f"Change {number}\n\nMore.",
        **more,
    }


def test_commits_and_their_files_come_with_the_deploy(client: Client) -> None:
    headers = bearer(TeamFactory())
    commits = [commit(1, files=["b.py", "a.py"]), {"sha": SHA}]

    answers = [post(client, headers, commits=commits, status="success") for _ in range(2)]

    deploy = Deploy.objects.get()
    assert [(answer.status_code, answer.headers["Upshot-Verdict"]) for answer in answers] == [
        (201, "created"),
        (200, "duplicate"),
    ]
    assert list(deploy.commits.order_by("sha").values_list("sha", "author", "title")) == [
        (f"{1:040}", "Ann", "Change 1"),
        (SHA, "", ""),
    ]
    assert deploy.files == ["a.py", "b.py"]


def test_commits_of_several_messages_add_up_and_are_news(client: Client) -> None:
    headers = bearer(TeamFactory())

    answers = [post(client, headers, commits=[commit(number)]) for number in (1, 2)]

    assert answers[1].headers["Upshot-Verdict"] == "updated"
    assert Deploy.objects.get().commits.count() == 2


@pytest.mark.parametrize(
    ("commits", "pointer"),
    [
        ("abc", "#/commits"),
        ([commit(1)] * 2001, "#/commits"),
        ([7], "#/commits/0/sha"),
        ([commit(1), {}], "#/commits/1/sha"),
        ([commit(1, sha=" ")], "#/commits/0/sha"),
        ([commit(1, committed_at="yesterday")], "#/commits/0/committed_at"),
        ([commit(1, committed_at=0)], "#/commits/0/committed_at"),
        ([commit(1, author=7)], "#/commits/0/author"),
        ([commit(1, files="a.py")], "#/commits/0/files"),
    ],
)
def test_what_is_no_commit_is_named_by_its_place(client: Client, commits: Any, pointer: str) -> None:
    answer = post(client, bearer(TeamFactory()), commits=commits)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (Deploy.objects.count(), Commit.objects.count()) == (0, 0)


def test_two_thousand_commits_are_taken(client: Client) -> None:
    commits = [commit(number, files=[f"{number}.py"]) for number in range(2000)]

    answer = post(client, bearer(TeamFactory()), commits=commits)

    assert answer.status_code == 201
    assert Deploy.objects.get().commits.count() == 2000


def test_fifty_commits_cost_as_many_queries_as_two(client: Client) -> None:
    headers = bearer(TeamFactory())
    post(client, headers, id="0", commits=[commit(0)])
    counts = []
    for run, count in enumerate((2, 50), 1):
        with CaptureQueriesContext(connection) as queries:
            post(client, headers, id=str(run), commits=[commit(100 * run + n) for n in range(count)])
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_what_is_live_and_which_commit_it_was_built_from(client: Client) -> None:
    headers = bearer(TeamFactory(), [Scope.DEPLOYS_WRITE, Scope.SERVICES_WRITE])
    times = {"started_at": NOON.isoformat(), "finished_at": NOON.isoformat()}
    post(client, headers, status="success", release="1.4.2", commit=SHA, artifact="sha256:1", **times)
    post(client, headers, id="43", status="failure", release="1.4.3", commits=[commit(1)])
    post(client, headers, id="44", environment="staging", status="success", release="1.4.4", commits=[commit(2)])

    asked = [
        client.get("/api/v1/live", {"service": service, "environment": environment}, headers=headers).json()
        for service, environment in (("shop", ""), ("shop", "Staging"), ("web", "production"))
    ]

    assert [(each["release"], each["commit"], each["artifact"]) for each in asked] == [
        ("1.4.2", SHA, "sha256:1"),
        ("1.4.4", f"{2:040}", None),
        (None, None, None),
    ]
    assert client.get("/api/v1/live", headers=headers).status_code == 422
