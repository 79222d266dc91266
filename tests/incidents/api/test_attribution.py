"""Why a change is thought to have caused an incident, as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from deploys.models import Change, Commit, CommitDeploy, Deploy, Push, PushedCommit, Scope, Team
from incidents.models import Episode, Incident, Verdict
from tests.conftest import NOON
from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory
from tests.factories.incidents import IssueFactory, deploy_of, environment_of, flag_of, incident_of, verdict_of

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def team() -> Team:
    return TeamFactory()


def ask(client: Client, team: Team, name: str, scopes: tuple[str, ...] = (Scope.INCIDENTS_READ,)) -> Any:
    return client.get(f"/api/v1/incidents/{name}/attribution", headers=bearer(team, scopes))


def suspected(team: Team) -> tuple[Incident, Change, Change]:
    change, flag = deploy_of(team), flag_of(team)
    link = {"kind": "deploy", "id": str(change.public_id), "status": "suggested", "by": "model", "probability": 0.8}
    incident = incident_of(team, causes=[link])
    verdict_of(incident, [(flag, 0.6), (change, 0.3), (None, 0.1)])
    verdict_of(incident, [(change, 0.8), (flag, 0.15), (None, 0.05)], number=2)
    return incident, change, flag


def failing(incident: Incident, change: Change, *, commits: int = 2) -> None:
    """The error lies in shop/pay.py, which the first of the deploy's commits touched."""
    issue = IssueFactory(service=change.service)
    Episode.objects.create(
        team=incident.team, service=change.service, environment=environment_of(incident.team), issue=issue,
        incident=incident, started_at=NOON, last_at=NOON, met_at=NOON, count=9, reason="novel",
        facts={"paths": ["shop/pay.py", "shop/web.py"], "places": ["shop/pay.py in pay", "shop/web.py in serve"]},
    )  # fmt: skip
    Deploy.objects.filter(pk=change.pk).update(files=["shop/pay.py", "README.md"])
    push = Push.objects.create(team=incident.team, repository="acme/shop", after_sha="f" * 40, received_at=NOON)
    for place in range(commits):
        sha = str(place) * 40
        commit = Commit.objects.create(
            team=incident.team, sha=sha, title=f"Commit {place}", author="Jonas Bech", committed_at=NOON
        )
        CommitDeploy.objects.create(commit=commit, team=incident.team, deploy=change.deploy, reference="r")
        files = ["shop/pay.py"] if place == 0 else ["README.md"]
        PushedCommit.objects.create(push=push, team=incident.team, sha=sha, position=place, files=files)


def test_suspects_come_with_factors_and_history(client: Client, team: Team) -> None:
    incident, change, flag = suspected(team)

    answer = ask(client, team, incident.slug)

    told = answer.json()
    assert answer.status_code == 200
    assert (told["incident"], told["public_id"]) == (incident.slug, str(incident.public_id))
    assert [(each["rank"], each["probability"], (each["change"] or {}).get("id")) for each in told["suspects"]] == [
        (1, 0.8, str(change.public_id)), (2, 0.15, str(flag.public_id)), (3, 0.05, None),
    ]  # fmt: skip
    assert told["suspects"][0]["evidence"] == [
        {"term": "service", "factor": 7.39, "log_ratio": 2.0, "text": "same service as the errors"},
        {"term": "gap", "factor": 0.497, "log_ratio": -0.7, "text": "long before the first error"},
    ]
    assert told["suspects"][0]["change"] == {
        "id": str(change.public_id), "kind": "deploy", "at": "2026-03-04T11:55:00Z", "service": "shop", "release": "1.4.0",
        "flag": None, "old_percent": None, "new_percent": None,
        "web_url": f"{settings.BASE_URL}/t/{team.slug}/deploys/{change.public_id}/",
    }  # fmt: skip
    assert (told["suspects"][1]["change"]["flag"], told["suspects"][1]["change"]["new_percent"]) == (
        "instant-vat",
        50.0,
    )
    assert (told["verdict"]["number"], told["verdict"]["outcome"], told["verdict"]["model"]) == (2, "probable", "test")
    assert [(each["number"], each["probability"]) for each in told["history"]] == [(2, 0.8), (1, 0.6)]
    assert [(each["status"], each["by"]) for each in told["causes"]] == [("suggested", "model")]
    assert told["code"] is None


def test_the_code_is_told_and_never_a_person(client: Client, team: Team) -> None:
    incident, change, _ = suspected(team)
    failing(incident, change)

    answer = ask(client, team, str(incident.number))

    place = {"path": "shop/pay.py", "function": "pay", "depth": 0}
    assert answer.json()["code"] == {
        "places": [place],
        "commits": [{"sha": "0" * 40, "title": "Commit 0", "places": [place]}],
        "commits_count": 2,
        "told_count": 2,
    }
    assert "Jonas" not in answer.content.decode()


def test_a_proof_tells_its_rates(client: Client, team: Team) -> None:
    incident, *_ = suspected(team)
    told = {
        "how": "rolled back", "by": str(incident.public_id), "at": "2026-03-04T12:20:00+00:00", "before_errors": 30,
        "before_seconds": 900.0, "after_errors": 0, "after_seconds": 1800.0,
    }  # fmt: skip
    Verdict.objects.filter(number=2).update(reversal=told)

    reversal = ask(client, team, str(incident.public_id)).json()["verdict"]["reversal"]

    assert reversal == {
        "how": "rolled back", "change": str(incident.public_id), "at": "2026-03-04T12:20:00Z", "before_per_minute": 2.0,
        "after_per_minute": 0.0,
        "text": "It was rolled back as the errors stopped: 2.0 errors a minute before, none in the 30 min after.",
    }  # fmt: skip


def test_nothing_was_weighed(client: Client, team: Team) -> None:
    told = ask(client, team, incident_of(team).slug).json()

    assert (told["verdict"], told["suspects"], told["history"], told["code"]) == (None, [], [], None)


def test_a_refused_suspect_is_accused_no_more(client: Client, team: Team) -> None:
    incident, change, _ = suspected(team)
    failing(incident, change)
    incident.causes.update(status="rejected", by="person")

    assert ask(client, team, incident.slug).json()["code"] is None


@pytest.mark.parametrize("name", ["INC-999", "999", "99999999999", "nothing", "01234567-89ab-cdef-0123-456789abcdef"])
def test_what_is_not_there(client: Client, team: Team, name: str) -> None:
    incident_of(team)

    answer = ask(client, team, name)

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "not-found")


def test_other_teams_and_scopes(client: Client, team: Team) -> None:
    theirs = incident_of(TeamFactory())
    ours = incident_of(team)

    assert ask(client, team, str(theirs.public_id)).status_code == 404
    assert ask(client, team, ours.slug, (Scope.DEPLOYS_READ,)).status_code == 403
    assert client.get(f"/api/v1/incidents/{ours.slug}/attribution").status_code == 401


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client: Client, team: Team, count: int, django_assert_num_queries: Any) -> None:
    incident, change, _ = suspected(team)
    failing(incident, change, commits=count)
    for number in range(count):
        verdict_of(incident, [(change, 0.8), (None, 0.1)], number=3 + number)
    headers = bearer(team, (Scope.INCIDENTS_READ,))
    client.get(f"/api/v1/incidents/{incident.slug}/attribution", headers=headers)

    with django_assert_num_queries(9):
        client.get(f"/api/v1/incidents/{incident.slug}/attribution", headers=headers)
