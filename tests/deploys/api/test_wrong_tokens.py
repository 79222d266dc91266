"""Guessing tokens is slowed; whoever has one notices nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploys import clock
from deploys.models import SignInAttempt
from tests.conftest import NOON
from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]

WRONG = {"Authorization": "Bearer upshot_guess"}


def status(client: Client, headers: dict[str, str], address: str = "192.0.2.1", path: str = "/api/v1/deploys") -> int:
    return int(client.get(path, headers=headers, REMOTE_ADDR=address).status_code)


def test_the_twenty_first_wrong_token_is_told_to_wait(client: Client, noon: dt.datetime) -> None:
    answers = [status(client, WRONG) for _ in range(20)]

    with clock.at(NOON + dt.timedelta(seconds=90)):
        refused = client.get("/api/v1/deploys", headers=WRONG, REMOTE_ADDR="192.0.2.1")
        sentrys = client.get("/api/0/", headers=WRONG, REMOTE_ADDR="192.0.2.1")

    assert answers == [401] * 20
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "210")
    assert refused.json()["type"] == "http://127.0.0.1:8000/problems/too-many-wrong-tokens"
    assert (sentrys.status_code, list(sentrys.json()), sentrys.headers["Retry-After"]) == (429, ["detail"], "210")
    assert SignInAttempt.objects.count() == 20


def test_a_good_token_from_the_same_address_is_never_held_back(client: Client, noon: dt.datetime) -> None:
    good = bearer(TeamFactory())
    for _ in range(25):
        status(client, WRONG)

    with CaptureQueriesContext(connection) as queries:
        answer = status(client, good)

    assert answer == 200
    assert not [query for query in queries if "signinattempt" in query["sql"].lower()]


def test_other_addresses_and_later_times_are_not_held_back(client: Client, noon: dt.datetime) -> None:
    for _ in range(21):
        status(client, WRONG)

    elsewhere = status(client, WRONG, address="192.0.2.2")
    with clock.at(NOON + dt.timedelta(minutes=6)):
        later = status(client, WRONG)

    assert (elsewhere, later) == (401, 401)
    assert SignInAttempt.objects.count() == 2  # of the first address, those that count no more are gone
