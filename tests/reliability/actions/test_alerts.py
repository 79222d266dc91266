"""Burn-rate alerts: begin at once, are told once, end late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deploys.actions.facts import record_fact
from deploys.models import Membership, Role, User
from reliability.actions.alerts import watch_budgets
from reliability.models import BurnAlert, OutgoingNotice
from reliability.queries import knowledge
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]
MINUTE = timedelta(minutes=1)


def told(team, kind, at=NOON - timedelta(days=2), **payload):
    record_fact(team=team, kind=kind, payload=payload, received_at=at, origin="live", source="history")


def watch(team, at):
    knowledge.forget()
    return [(alert.rule, alert.closed_at) for alert in watch_budgets(team=team, now=at)]


@pytest.fixture
def burning(settings, noon):
    """99.9 % in 30 days; down since two minutes. 52 s of the last hour are enough for the fast page."""
    settings.MAIL_IS_SET = True
    knowledge.forget()
    team = TeamFactory.create(name="Shop")
    for name, role in (("ida", Role.ADMIN), ("jo", Role.RESPONDER), ("vi", Role.VIEWER)):
        user = User.objects.create_user(f"{name}@example.org")
        Membership.objects.create(team=team, user=user, role=role, created_at=NOON)
    told(team, "objective", id="o", service="shop", target=0.999, window_days=30)
    start = (NOON - 2 * MINUTE).isoformat()
    told(team, "incident", at=NOON - MINUTE, id="i", services=["shop"], started_at=start, **{"class": "downtime"})
    return team


def test_an_alert_begins_at_once_and_is_told_once_to_those_who_may_act(burning):
    assert watch(burning, NOON) == [("page_fast", None)]
    assert watch(burning, NOON + timedelta(seconds=5)) == []

    alert = BurnAlert.objects.get()
    assert alert.long_burn_rate == pytest.approx(120 / 3600 / 0.001)
    assert (alert.opened_at, alert.last_fired_at) == (NOON, NOON + timedelta(seconds=5))
    notices = OutgoingNotice.objects.order_by("recipient")
    assert [notice.recipient for notice in notices] == ["ida@example.org", "jo@example.org"]
    assert notices[0].urgency == "page"
    assert notices[0].title.replace("\u00a0", " ").startswith("The error budget of shop 99.9 % burns 33.3 times")


def test_another_rule_of_the_same_urgency_is_recorded_but_not_told_again(burning):
    watch(burning, NOON)
    later = NOON + 8 * MINUTE

    assert ("page_slow", None) in watch(burning, later)
    began = OutgoingNotice.objects.filter(key__contains="began", recipient="ida@example.org", urgency="page")
    assert began.count() == 1


def test_an_alert_ends_when_its_rule_has_not_fired_for_its_short_span(burning):
    watch(burning, NOON)
    told(burning, "incident", at=NOON, id="i", restored_at=NOON.isoformat())

    seen = [(minute, watch(burning, NOON + minute * MINUTE)) for minute in range(1, 13)]

    closed = [minute for minute, changed in seen if changed]
    alert = BurnAlert.objects.get(rule="page_fast")
    assert closed == [9]  # quiet in the last five minutes from 12:05 on; last fired at 12:04
    assert alert.closed_at == NOON + 9 * MINUTE
    assert OutgoingNotice.objects.filter(key__contains="ended").count() == 2


def test_it_begins_anew_when_it_burns_again(burning):
    test_an_alert_ends_when_its_rule_has_not_fired_for_its_short_span(burning)
    start = NOON + 20 * MINUTE
    told(
        burning, "incident", at=start, id="j", services=["shop"], started_at=start.isoformat(), **{"class": "downtime"}
    )

    assert ("page_fast", None) in watch(burning, start + 2 * MINUTE)
    assert BurnAlert.objects.filter(rule="page_fast").count() == 2


def test_a_team_without_objectives_has_nothing_to_watch(noon):
    assert watch(TeamFactory.create(), NOON) == []
