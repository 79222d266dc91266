"""The demo is made once, whole, and the machine finds its troubles by itself."""

import pytest

from deploys import clock
from deploys.models import Team
from incidents.models import ActionItem, Cause, Incident, Retrospective, RunbookVersion
from reliability.demo.make import has_demo, make_demo
from tests.conftest import NOON


@pytest.mark.processes
@pytest.mark.django_db(databases="__all__")
def test_the_demo_is_whole_and_its_last_troubles_are_found() -> None:
    with clock.at(NOON):
        team = make_demo(now=NOON)

    found = list(Incident.objects.filter(team=team, source="upshot").order_by("begins_at"))
    links = [list(Cause.objects.filter(incident=each).values_list("kind", "status", "by")) for each in found]
    assert [each.impact_class for each in found] == ["downtime", "multi_user", "downtime"]
    assert links == [[], [("flag", "confirmed", "person")], [("deploy", "suggested", "model")]]
    assert Incident.objects.filter(team=team, source="history").count() == 14
    states = ActionItem.objects.filter(team=team).order_by("pk").values_list("state", "due_on")
    assert [(state, due_on < NOON.date()) for state, due_on in states if due_on] == [
        ("done", True), ("open", True), ("open", False),
    ]  # fmt: skip
    assert Retrospective.objects.filter(finished_at__isnull=False).count() == 1
    assert [row.number for row in RunbookVersion.objects.order_by("number")] == [1, 2]
    assert has_demo()
    assert Team.objects.get().slug == "demo"
