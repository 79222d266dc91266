"""Sentry's release API beyond what was recorded: who may, what is refused, how lists go on."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploys.models import Delivery, Deploy, Fact, Release, Scope, Service
from tests.conftest import NOON
from tests.factories.access import bearer
from tests.factories.catalog import EnvironmentFactory, ServiceFactory, TeamFactory
from tests.factories.changes import DeployFactory, ReleaseFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ROOT = "/api/0/organizations/acme"


def ask(client: Client, headers: dict[str, str], method: str, path: str, body: Any = None) -> Any:
    data = "" if body is None else json.dumps(body)
    return client.generic(method, ROOT + path, data, content_type="application/json", headers=headers)


def test_errors_have_sentrys_form_and_refusals_are_logged(client: Client) -> None:
    headers = bearer(TeamFactory(slug="acme"))

    answers = [
        client.get("/api/0/"),
        client.get("/api/0/", headers={"Authorization": "Bearer upshot_wrong"}),
        ask(client, headers, "POST", "/releases/", {"version": "a/b", "projects": ["shop"]}),
        ask(client, headers, "POST", "/releases/", {"version": "1"}),
        ask(client, headers, "GET", "/releases/1/"),
        ask(client, headers, "PATCH", "/releases/1/"),
        client.get("/api/0/organizations/other/releases/", headers=headers),
        client.get("/api/0/organizations/acme/members/", headers=headers),
        client.generic("POST", f"{ROOT}/releases/", "{", content_type="application/json", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 400, 404, 404, 405, 404, 404, 400]
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/json"
        assert list(answer.json()) == ["detail"]
    assert list(Delivery.objects.order_by("pk").values_list("kind", "verdict", "reason"))[:2] == [
        ("sentry-cli", "refused", "version: expected a name without slashes that is not . or .. or latest"),
        ("sentry-cli", "refused", "no release '1' here, and the message names no project: add -p <service>"),
    ]


def test_a_token_without_the_scope_makes_no_service_and_no_environment(client: Client) -> None:
    team = TeamFactory(slug="acme")
    headers = bearer(team, [Scope.DEPLOYS_WRITE])
    ReleaseFactory(service=ServiceFactory(team=team, name="shop"), version="1")
    EnvironmentFactory(team=team, name="production")

    answers = [
        ask(client, headers, "POST", "/releases/", {"version": "1", "projects": ["web"]}),
        ask(client, headers, "POST", "/releases/1/deploys/", {"environment": "staging"}),
        ask(client, headers, "POST", "/releases/1/deploys/", {"environment": "production"}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 201]
    assert "use a token with the scope services:write" in answers[0].json()["detail"]
    assert (Service.objects.count(), Deploy.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("services", "version", "status"),
    [(["shop"], "1", 201), (["shop", "web"], "shop@1", 201), (["shop", "web"], "1", 404), ([], "1", 404)],
)
def test_a_deploy_of_a_release_nobody_announced(client: Client, services: list[str], version: str, status: int) -> None:
    team = TeamFactory(slug="acme")
    for name in services:
        ServiceFactory(team=team, name=name)

    answer = ask(client, bearer(team), "POST", f"/releases/{version}/deploys/", {"environment": "production"})

    assert answer.status_code == status
    assert [deploy.service.name for deploy in Deploy.objects.all()] == (["shop"] if status == 201 else [])


def test_a_project_is_found_by_the_slug_of_its_service(client: Client) -> None:
    team = TeamFactory(slug="acme")
    ServiceFactory(team=team, name="Web Shop")

    answer = ask(client, bearer(team), "POST", "/releases/", {"version": "1", "projects": ["web-shop"]})

    assert answer.json()["projects"][0]["slug"] == "web-shop"
    assert [release.service.name for release in Release.objects.all()] == ["Web Shop"]


def test_a_running_deploy_is_listed_with_an_end(client: Client) -> None:
    team = TeamFactory(slug="acme")
    release = ReleaseFactory(service=ServiceFactory(team=team))
    DeployFactory(team=team, service=release.service, release=release, finished_at=None, status="in_progress")

    (listed,) = ask(client, bearer(team), "GET", f"/releases/{release.version}/deploys/").json()

    assert listed["dateFinished"] == "2026-03-04T12:00:00Z"


def test_lists_go_on_by_link(client: Client) -> None:
    team = TeamFactory(slug="acme")
    service = ServiceFactory(team=team, name="shop")
    headers = bearer(team)
    for number in range(101):
        ReleaseFactory(service=service, version=f"1.{number}", created_at=NOON + dt.timedelta(minutes=number))

    first = ask(client, headers, "GET", "/releases/")
    second = ask(client, headers, "GET", "/releases/?cursor=0:100:0")

    assert [first.json()[0]["version"], len(first.json()), len(second.json())] == ["1.100", 100, 1]
    assert first.headers["Link"].endswith('rel="next"; results="true"; cursor="0:100:0"')
    assert 'rel="previous"; results="true"; cursor="0:0:1"' in second.headers["Link"]
    assert second.headers["Link"].endswith('rel="next"; results="false"; cursor="0:0:0"')


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_as_many_queries_for_three_as_for_one(client: Client, count: int) -> None:
    team = TeamFactory(slug="acme")
    headers = bearer(team)
    ReleaseFactory.create_batch(count, service=ServiceFactory(team=team))
    ask(client, headers, "GET", "/releases/")

    with CaptureQueriesContext(connection) as queries:
        ask(client, headers, "GET", "/releases/")

    assert len(queries) == 4


def test_the_release_before_is_one_of_the_same_service_with_commits(client: Client) -> None:
    team = TeamFactory(slug="acme")
    headers = bearer(team)
    commits = {"commits": [{"id": "abc", "timestamp": "2026-03-04T11:00:00Z"}]}
    for project, version in (("shop", "1"), ("web", "2"), ("shop", "3")):
        ask(client, headers, "POST", "/releases/", {"version": version, "projects": [project]})
        ask(client, headers, "PUT", f"/releases/{version}/", commits if version != "3" else {})

    previous = ask(client, headers, "GET", "/releases/3/previous-with-commits/").json()

    assert (previous["version"], previous["lastCommit"]) == ("1", {"id": "abc"})
    assert ask(client, headers, "GET", "/releases/1/previous-with-commits/").json() == {}
    assert ask(client, headers, "GET", "/releases/1/commits/").json() == [
        {"id": "abc", "message": "", "dateCreated": "2026-03-04T11:00:00Z", "author": None}
    ]


def test_a_password_in_an_address_is_kept_nowhere(client: Client) -> None:
    headers = bearer(TeamFactory(slug="acme"))
    address = "https://bot:hunter2hunter2@git.example.org/shop"

    ask(client, headers, "POST", "/releases/", {"version": "1", "projects": ["shop"], "url": address})
    ask(client, headers, "POST", "/releases/1/deploys/", {"environment": "production", "url": address})

    kept = json.dumps([list(model.objects.values()) for model in (Delivery, Deploy, Fact, Release)], default=str)
    assert "hunter2" not in kept
    assert [Release.objects.get().url, Deploy.objects.get().url] == ["https://git.example.org/shop"] * 2
