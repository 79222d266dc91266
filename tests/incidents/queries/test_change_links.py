"""What incidents say of changes, and that lists of deploys hear of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deploys.domain.change_links import ChangeLinks
from deploys.models import Deploy
from incidents.queries.change_links import change_links
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory
from tests.factories.incidents import deploy_of, incident_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def confirmed(change: Any) -> list[dict[str, Any]]:
    return [{"kind": "deploy", "id": str(change.public_id)}]


def test_only_confirmed_possible_links_of_counted_incidents_count() -> None:
    team = TeamFactory()
    blamed, suspected, late, false, staged = (deploy_of(team, release=str(n)) for n in range(5))
    late.at = NOON + dt.timedelta(minutes=1)
    late.save(update_fields=["at"])
    incident_of(team, causes=confirmed(blamed))
    incident_of(team, causes=confirmed(blamed), started_at="2026-03-04T11:58:00Z")
    incident_of(team, causes=[{**confirmed(suspected)[0], "status": "suggested"}])
    incident_of(team, causes=confirmed(late), remedies=confirmed(late))
    incident_of(team, causes=confirmed(false), dismissed=True)
    incident_of(team, causes=confirmed(staged), environment="staging")

    links = change_links(team, [each.pk for each in (blamed, suspected, late, false, staged)])

    assert links == ChangeLinks(frozenset({late.pk}), {blamed.pk: NOON - dt.timedelta(minutes=2)})
    assert change_links(team, []) == ChangeLinks(frozenset(), {})


def test_a_confirmed_cause_reaches_the_list_of_deploys(django_capture_on_commit_callbacks: Any) -> None:
    team = TeamFactory()
    change = deploy_of(team)
    incident = incident_of(team)

    with django_capture_on_commit_callbacks(execute=True):
        incident_of(team, id=incident.external_id, causes=confirmed(change))

    assert Deploy.objects.get().outcome_listed != ""
