"""What webhooks of trackers say of tickets, against what was written down of it beforehand, in expected/tickets.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from deploys.domain.instants import instant_text
from deploys.models import Delivery, FlagTask
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory
from tests.factories.flags import registered
from tests.factories.webhooks import send, source_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

STORIES = json.loads((Path(__file__).parent / "expected" / "tickets.json").read_text(encoding="utf-8"))["stories"]


@pytest.mark.parametrize("story", STORIES, ids=[each["name"] for each in STORIES])
def test_every_step_says_what_was_written_down(client: Client, story: dict[str, Any]) -> None:
    team = TeamFactory()
    flag = registered(team, ticket_url=story["ticket"], now=NOON)
    source, secret = source_of(story["kind"], team)

    for step in story["steps"]:
        answer = send(client, source, secret, json.dumps(step["body"]).encode(), headers=step["headers"])

        task = FlagTask.objects.get(flag=flag)
        assert answer.status_code == 200
        assert (Delivery.objects.latest("id").verdict, task.ticket_is_closed, instant_text(task.ticket_at)) == (
            step["verdict"], step["is_closed"], step["at"],
        )  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=[each["name"] for each in STORIES])
def test_in_whatever_order_they_come_the_end_is_the_same(client: Client, story: dict[str, Any]) -> None:
    team = TeamFactory()
    flag = registered(team, ticket_url=story["ticket"], now=NOON)
    source, secret = source_of(story["kind"], team)

    for step in reversed(story["steps"]):
        send(client, source, secret, json.dumps(step["body"]).encode(), headers=step["headers"])

    last = story["steps"][-1]
    assert FlagTask.objects.get(flag=flag).ticket_is_closed == last["is_closed"]


def test_flags_of_other_teams_are_not_concerned(client: Client) -> None:
    story = STORIES[0]
    theirs = registered(TeamFactory(), ticket_url=story["ticket"], now=NOON)
    source, secret = source_of(story["kind"], TeamFactory())

    send(client, source, secret, json.dumps(story["steps"][0]["body"]).encode(), headers=story["steps"][0]["headers"])

    assert Delivery.objects.get().reason == "no flag names this ticket"
    assert FlagTask.objects.get(flag=theirs).ticket_is_closed is None
