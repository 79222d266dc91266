from __future__ import annotations

import pytest

from deploys.models import Fact
from reliability.actions.objectives import BadObjective, set_objective
from reliability.models import Objective
from tests.factories.catalog import TeamFactory, UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

PROMISE = {"id": "shop-uptime", "service": "shop", "target": 0.999, "window_days": 28}


def test_a_promise_is_a_fact_and_a_row() -> None:
    team, person = TeamFactory.create(), UserFactory.create()

    set_objective(team=team, payload=PROMISE, by=person)
    set_objective(team=team, payload={**PROMISE, "window_days": None, "calendar": "month", "service": None}, by=person)

    row = Objective.objects.get(team=team)
    assert (row.external_id, row.service, row.sli, row.target) == ("shop-uptime", None, "time", 0.999)
    assert (row.window_days, row.calendar, row.min_requests) == (None, "month", 100)
    assert Fact.objects.filter(team=team, kind="objective", origin="person", actor=person).count() == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": 1.5}, "target: expected a number above 0 to 1"),
        ({"window_days": None}, "window_days: missing"),
        ({"mood": 1}, "mood: unknown"),
        ({"id": None}, "id: missing"),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(BadObjective, match=message):
        set_objective(team=TeamFactory.create(), payload={**PROMISE, **change}, by=UserFactory.create())

    assert not Fact.objects.exists()
