"""Cells that lists of deploys and services show of incidents."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deploys.models import Team
from incidents.views.columns import open_incidents, what_deploys_did
from tests.factories.catalog import TeamFactory
from tests.factories.incidents import deploy_of, incident_of, service_of

pytestmark = pytest.mark.django_db


def words(cell: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", cell).split())


def blamed(team: Team, *, status: str, **more: object) -> tuple[int, str]:
    """A deploy and the number of an incident that is laid at it."""
    change = deploy_of(team, release=f"1.{status}.{len(more)}")
    cause = {"kind": "deploy", "id": str(change.public_id), "status": status}
    if status == "suggested":
        cause |= {"by": "model", "probability": 0.874}
    return change.pk, incident_of(team, causes=[cause], **more).slug


def test_deploys_show_what_is_laid_at_them() -> None:
    team = TeamFactory()
    confirmed, first = blamed(team, status="confirmed")
    suggested, second = blamed(team, status="suggested")
    rejected, _ = blamed(team, status="rejected")
    dismissed, _ = blamed(team, status="confirmed", dismissed=True)
    deploys = list(team.deploys.all())

    with CaptureQueriesContext(connection) as queries:
        cells = what_deploys_did(team, deploys)

    assert {key: words(cell) for key, cell in cells.items()} == {
        confirmed: f"{first} multi-user confirmed",
        suggested: f"{second} multi-user suspected, 87 %",
    }
    assert {confirmed, suggested, rejected, dismissed} == {deploy.pk for deploy in deploys}
    assert len(queries) == 1
    assert what_deploys_did(TeamFactory(), deploys) == {}


def test_services_show_their_open_incidents() -> None:
    team = TeamFactory()
    shop, till = service_of(team), service_of(team, "till")
    slugs = [incident_of(team, title=f"<{n}>").slug for n in range(4)]
    incident_of(team, restored_at="2026-03-04T13:00:00Z")

    with CaptureQueriesContext(connection) as queries:
        cells = open_incidents(team, [shop, till])

    newest = " ".join(f"{slug} multi-user" for slug in reversed(slugs[1:]))
    assert {key: words(cell) for key, cell in cells.items()} == {shop.pk: f"{newest} and 1 more"}
    assert len(queries) == 1
