from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deploys import clock
from deploys.models import Fact
from reliability.actions.policy import BadPolicy, set_policy
from reliability.queries.reports import report_as_of, week_labelled
from tests.factories.catalog import TeamFactory, UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_changed_values_are_in_force_from_now_on_and_the_others_stay() -> None:
    team, person = TeamFactory.create(), UserFactory.create()
    with clock.at(NOON):
        set_policy(team=team, values={"pending_seconds": 60}, by=person)
        set_policy(team=team, values={"failure_classes": ["downtime"]}, by=person)

    team.policy.refresh_from_db()
    window = week_labelled(team=team, label="2026-W10")
    printed = report_as_of(team=team, window=window, as_of=NOON)["policy"]

    assert (team.policy.pending_seconds, team.policy.failure_classes) == (60, ["downtime"])
    assert (printed["pending_seconds"], printed["failure_classes"]) == (60, ["downtime"])
    assert list(Fact.objects.values_list("origin", "actor", "received_at")) == [("person", person.pk, NOON)] * 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pending_seconds": -1}, "pending_seconds: expected a number from 0"),
        ({"failure_classes": ["bad"]}, "failure_classes: expected one of downtime"),
        ({"mood": 1}, "policy.mood: unknown"),
    ],
)
def test_what_no_policy_can_have_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(BadPolicy, match=message):
        set_policy(team=TeamFactory.create(), values=values, by=UserFactory.create())

    assert not Fact.objects.exists()
