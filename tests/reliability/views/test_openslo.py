"""Objectives in and out as OpenSLO v1, on the page and by the API."""

from __future__ import annotations

import pytest
from django.test import Client

from deploys.models import Scope, Team
from reliability.actions.objectives import set_objective
from reliability.models import Objective
from tests.factories.access import bearer

pytestmark = pytest.mark.django_db(databases="__all__")

GOOD = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: cart-up}
spec:
  service: cart
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.99}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: odd}
spec:
  service: cart
  timeWindow: [{duration: 5d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.99}]
"""


def test_a_file_is_looked_at_before_it_is_taken(client: Client, team: Team) -> None:
    page = f"/t/{team.slug}/objectives/openslo/"

    looked = client.post(page, {"text": GOOD, "act": "look"}).content.decode()
    before = Objective.objects.count()
    taken = client.post(page, {"text": GOOD, "act": "import"})
    again = client.post(page, {"text": GOOD, "act": "look"}).content.decode()

    assert "spec.timeWindow[0].duration" in looked
    assert "Set 1 objective" in looked.replace("\u00a0", " ")
    assert (before, taken.status_code) == (0, 302)
    assert list(Objective.objects.values_list("external_id", "target", "window_days")) == [("cart-up", 0.99, 28)]
    assert "known already" in again


@pytest.mark.parametrize("text", ["", "a: [", "x: &a [1]\ny: *a"])
def test_what_is_no_openslo_is_told(client: Client, team: Team, text: str) -> None:
    answer = client.post(f"/t/{team.slug}/objectives/openslo/", {"text": text, "act": "import"})

    assert answer.status_code == 422
    assert "not read" in answer.content.decode()


def test_the_file_of_a_team_is_what_another_takes(client: Client, team: Team) -> None:
    set_objective(team=team, payload={"id": "whole", "target": 0.999, "calendar": "month"}, by=None)

    response = client.get(f"/t/{team.slug}/objectives/openslo.yaml")

    assert response.headers["Content-Disposition"] == f'attachment; filename="{team.slug}-objectives.yaml"'
    looked = client.post(f"/t/{team.slug}/objectives/openslo/", {"text": response.content.decode(), "act": "look"})
    assert "known already" in looked.content.decode()


def test_the_api_takes_gives_and_refuses(client: Client, team: Team) -> None:
    token = bearer(team, [Scope.METRICS_READ, Scope.OBJECTIVES_WRITE])
    path = "/api/v1/objectives/openslo"

    def send(body: str, more: str = "", kind: str = "application/yaml") -> object:
        return client.post(path + more, body, content_type=kind, headers=token)

    dry = send(GOOD, "?dry_run=true")
    assert (dry.status_code, dry.json()["dry_run"], Objective.objects.count()) == (200, True, 0)
    done = send(GOOD).json()["objectives"]
    assert [(each["id"], each["state"]) for each in done] == [("cart-up", "new"), ("odd", "refused")]
    assert done[1]["key"] == "spec.timeWindow[0].duration"
    assert "cart-up" in client.get(path, headers=token).content.decode()
    assert [send(body).status_code for body in ("", "a: [", "\x00")] == [422, 422, 422]
    assert send(GOOD, kind="application/json").status_code == 415
