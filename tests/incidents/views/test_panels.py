"""What pages of deploys and services show of incidents and issues."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import RequestFactory

from deploys.models import Deploy, Team
from deploys.ports import change_links
from deploys.queries.derived import ShownDeploy, shown_deploy
from incidents.actions.requests import count_requests
from incidents.formats.requests import Request
from incidents.views import panels
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory
from tests.factories.incidents import IssueCountFactory, IssueFactory, deploy_of, incident_of, service_of
from tests.incidents.views.pages import HOSTILE, LATER, desk

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("half_past")]


def drawn(panel: Any, thing: Any, team: Team) -> str:
    request: Any = RequestFactory().get("/")
    request.team = team
    return " ".join(panel(request, thing).replace("\N{NO-BREAK SPACE}", " ").split())


def deploy_row(change: Any) -> ShownDeploy:
    """The deploy as its page hands it to panels."""
    deploy = Deploy.objects.select_related("change", "service__team", "release").get(change=change)
    shown = shown_deploy(deploy, links=change_links(deploy.team, [deploy.pk]), now=LATER)
    assert shown is not None
    return shown


def test_what_a_deploy_did() -> None:
    team = TeamFactory()
    change = deploy_of(team)
    link = {"kind": "deploy", "id": str(change.public_id)}
    incident_of(team, title="Down", causes=[link], restored_at="2026-03-04T12:10:00Z", **{"class": "downtime"})
    incident_of(team, title="Slow", causes=[{**link, "status": "suggested", "by": "model", "probability": 0.62}])
    incident_of(team, title="Other", causes=[{**link, "status": "rejected"}])

    html = drawn(panels.what_it_did, deploy_row(change), team)

    assert 'data-class="downtime"' in html
    assert "Down" in html
    assert "10 min" in html
    assert "confirmed" in html
    assert "a person" in html
    assert "30 min so far" in html
    assert "62 %" in html
    assert "the model, not yet a person" in html
    assert "Other" not in html


def test_a_deploy_that_did_nothing() -> None:
    team = TeamFactory()

    html = drawn(panels.what_it_did, deploy_row(deploy_of(team)), team)

    assert "No incident is laid at this deploy, 32 min after it began." in html
    assert "No error that was not there before." in drawn(panels.new_issues, deploy_row(deploy_of(team)), team)
    assert drawn(panels.errors_around, deploy_row(deploy_of(team)), team) == ""


def test_errors_around_a_deploy() -> None:
    team = TeamFactory()
    change = deploy_of(team)
    issue = IssueFactory(service=service_of(team), title="New one")
    IssueCountFactory(issue=issue, bucket_at=NOON, count=40)
    IssueCountFactory(issue=issue, bucket_at=NOON - dt.timedelta(minutes=30), count=2)
    IssueCountFactory(issue=issue, bucket_at=NOON - dt.timedelta(days=7), count=1)

    figure = panels.errors_around_figure(deploy_row(change), now=LATER)

    assert figure is not None
    assert [row[:2] for row in figure.table] == [
        ("before it was live", "2"), ("since it is live", "40"), ("same hours a week before", "1"),
    ]  # fmt: skip
    assert "New one" in drawn(panels.new_issues, deploy_row(change), team)


def test_a_service_in_trouble_and_in_peace() -> None:
    team = TeamFactory()
    shop, api = service_of(team), service_of(team, "api")
    incident_of(team, title="Down", **{"class": "downtime"})
    incident_of(team, title="Was down", restored_at="2026-03-04T12:10:00Z")
    IssueFactory(service=shop, title="An issue")

    assert "Was down" not in drawn(panels.wrong_now, shop, team)
    assert "Down" in drawn(panels.wrong_now, shop, team)
    assert "Was down" in drawn(panels.last_incidents, shop, team)
    assert "An issue" in drawn(panels.open_issues, shop, team)
    assert drawn(panels.wrong_now, api, team) == ""
    assert "No incident yet." in drawn(panels.last_incidents, api, team)
    assert "No open issue." in drawn(panels.open_issues, api, team)


def test_the_deploys_page_shows_them() -> None:
    at = desk()
    change = deploy_of(at.team)
    incident_of(at.team, title=HOSTILE, causes=[{"kind": "deploy", "id": str(change.public_id)}])

    html = at.get("deploy-detail", change.public_id).content.decode()

    assert "What it did to your users" in html
    assert "&lt;script&gt;alert" in html
    assert "<script>alert" not in html


def test_how_long_requests_took() -> None:
    team = TeamFactory()
    service = service_of(team)
    assert "traces_sample_rate" in drawn(panels.latency, service, team)
    for release, seconds, environment in (
        ("1.0", 0.1, "production"),
        ("1.1", 0.4, "production"),
        ("2", 9.0, "staging"),
    ):
        request = Request("", NOON, seconds, False, environment, release)
        count_requests(service=service, requests=[request] * 3, received_at=NOON)

    html = drawn(panels.latency, service, team)

    assert "6 traced requests in 24 hours: 1.0 half within" in html
    assert "1.1" in html
    assert "traces_sample_rate" not in html
    assert panels.latency_figure(service, now=NOON + dt.timedelta(days=2)) is None
