"""The demo's delivery log is what an instance would have written of the demo's messages."""

import datetime as dt
from collections import Counter

import pytest

from deploys import clock
from deploys.actions.facts import NewFact, record_facts
from deploys.actions.replays import replay
from deploys.models import Commit, Delivery, Deploy
from reliability.demo.deliveries import log_deliveries
from reliability.demo.story import demo_lines
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory


def commits() -> list[object]:
    rows = Commit.objects.order_by("sha").values_list("sha", "committed_at", "author", "title", "deploys__external_id")
    return [*rows, *Deploy.objects.order_by("pk").values_list("external_id", "status", "commit_sha")]


@pytest.mark.django_db
def test_every_message_of_the_last_weeks_has_its_line_and_no_row_becomes_another() -> None:
    team = TeamFactory()
    lines = [line for line in demo_lines(NOON) if line["kind"] in {"deploy", "flag", "change"}]
    recent = [line for line in lines if dt.datetime.fromisoformat(line["received_at"]) > NOON - dt.timedelta(days=12)]
    facts = [NewFact(line["kind"], line["payload"], dt.datetime.fromisoformat(line["received_at"])) for line in recent]
    with clock.at(NOON):
        record_facts(team=team, facts=facts)
        before = commits()

        log_deliveries(team=team, lines=recent, now=NOON)

    log = Delivery.objects.filter(team=team)
    kinds = Counter(log.values_list("kind", "event"))
    assert commits() == before
    assert kinds["api", "deploy"] >= sum(line["kind"] == "deploy" for line in recent)
    assert kinds["api", "flag"] == sum(line["kind"] == "flag" and "id" in line["payload"] for line in recent)
    assert kinds["github", "push"] > 5
    assert set(log.values_list("verdict", flat=True)) == set(Delivery.Verdict.values)
    assert not log.filter(verdict__in=["created", "updated"], kind="api", change=None).exists()
    assert log.filter(received_at__gt=NOON).count() == 0


@pytest.mark.django_db
def test_a_recent_push_can_be_replayed_and_changes_nothing() -> None:
    team = TeamFactory()
    lines = [line for line in demo_lines(NOON) if line["kind"] == "change"][-5:]
    with clock.at(NOON):
        log_deliveries(team=team, lines=lines, now=NOON)
        delivery = Delivery.objects.filter(event="push", raw_encrypted__isnull=False).order_by("-pk")[0]

        again = replay(delivery)

    assert (delivery.verdict, delivery.signature, again.verdict) == ("created", "valid", "duplicate")
