"""A database that is away or busy is no fault of the request: 503 and a hint, never a 500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture(params=[OperationalError("database is locked"), InterfaceError("connection already closed")])
def away(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every query fails."""

    def fails(*_: Any) -> Any:
        raise request.param

    with connection.execute_wrapper(fails):
        yield


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("path", ["/", "/sign-in/"])
def test_pages_ask_to_try_again(client: Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert f'<a href="{path}">Try again</a>' in answer.content.decode()


def test_the_api_asks_to_try_again(client: Client) -> None:
    headers = bearer(TeamFactory())

    def fails(*_: Any) -> Any:
        raise OperationalError("database is locked")

    with connection.execute_wrapper(fails):
        answer = client.post("/api/v1/deploys", data="{}", content_type="application/json", headers=headers)

    assert (answer.status_code, answer["Retry-After"], answer.json()["title"]) == (503, "5", "The database is busy")


@pytest.mark.parametrize(("path", "kind"), [("/api/v1/x", "application/problem+json"), ("/x", "text/html")])
def test_a_fault_of_ours_stays_a_500(
    client: Client, path: str, kind: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def fails(_: Any) -> Any:
        raise ValueError("a bug")

    from django.urls import path as route  # noqa: PLC0415 -- shadows the argument otherwise

    settings.ROOT_URLCONF = type(
        "Urls", (), {"urlpatterns": [route(path[1:], fails)], "handler500": "reliability.views.errors.broken"}
    )
    answer = client.get(path)

    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (500, kind)
