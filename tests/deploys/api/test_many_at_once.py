"""The same messages from many senders at the same instant."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from deploys.models import Change, Delivery, Deploy, Environment, Fact, Release, Service, Team
from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory


def posted_at_once(team: Team, messages: list[dict[str, Any]], *, threads: int) -> list[tuple[int, Any]]:
    """Every message from every thread; status and body of each answer."""
    headers = bearer(team)
    answers: list[tuple[int, Any]] = []
    start = threading.Barrier(threads)

    def send() -> None:
        try:
            start.wait(timeout=30)
            for message in messages:
                answer = Client().post(
                    "/api/v1/deploys", data=json.dumps(message), content_type="application/json", headers=headers
                )
                answers.append((answer.status_code, answer.json()))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=send) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    return answers


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_the_same_deploy_from_eight_threads_is_one_row_and_one_answer() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("the test database of SQLite lives in memory and has one connection")
    team = TeamFactory()
    message = {"id": "42", "service": "shop", "release": "1.4.2", "status": "success", "started_at": 1772618400}

    answers = posted_at_once(team, [message] * 5, threads=8)

    assert Counter(status for status, _ in answers) == {201: 1, 200: 39}
    bodies = {json.dumps(body, sort_keys=True) for _, body in answers}
    assert len(bodies) == 1
    counts = [model._default_manager.count() for model in (Deploy, Change, Release, Service, Environment)]
    assert counts == [1, 1, 1, 1, 1]
    assert Fact.objects.filter(kind="deploy").count() == 1
    assert Counter(Delivery.objects.values_list("verdict", flat=True)) == {"created": 1, "duplicate": 39}


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_start_and_end_from_many_threads_end_as_one_success() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("the test database of SQLite lives in memory and has one connection")
    team = TeamFactory()
    messages = [
        {"id": "42", "service": "shop", "started_at": 1772618400},
        {"id": "42", "service": "shop", "status": "in_progress", "percent": 5},
        {"id": "42", "service": "shop", "status": "success", "finished_at": 1772618700},
    ]

    answers = posted_at_once(team, messages, threads=6)

    assert {status for status, _ in answers} == {200, 201}
    deploy = Deploy.objects.get()
    assert (deploy.status, deploy.has_canary_step) == ("success", True)
    assert deploy.finished_at is not None
    assert deploy.finished_at.timestamp() == 1772618700
