"""Deployments of releases of Azure DevOps, in the form of the events its documentation lists."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from deploys.domain.changes import DeployReport
from deploys.formats.azuredevops import COMPLETED, STARTED, read
from deploys.formats.webhook import Inbound, Message, UnexpectedPayload
from tests.conftest import NOON

AT = dt.datetime(2026, 3, 3, 10, 5, 12, 345678, tzinfo=dt.UTC)
WEB = "https://dev.azure.com/acme/shop/_release?releaseId=41"


def event(kind: str, status: str, *, resource: dict[str, Any] | None = None, **environment: Any) -> dict[str, Any]:
    place = {
        "id": 7, "name": "Production", "status": status, "deploySteps": [],
        "release": {"id": 41, "name": "Release-41", "_links": {"web": {"href": WEB}}}, **environment,
    }  # fmt: skip
    return {
        "id": "c3e5", "eventType": kind, "publisherId": "rm", "createdDate": "2026-03-03T10:05:12.3456789Z",
        "resource": {"environment": place, "project": {"id": "0", "name": "Shop"}, **(resource or {})},
    }  # fmt: skip


def message(said: dict[str, Any]) -> Message:
    (found,) = read(Inbound(json.dumps(said).encode(), {"content-type": "application/json"}, NOON))
    return found


def report(said: dict[str, Any]) -> DeployReport:
    (only,) = message(said).said
    assert isinstance(only.report, DeployReport)
    assert not only.by_rule
    return only.report


def test_a_stage_that_begins_and_ends_is_one_deploy() -> None:
    begun = report(event(STARTED, "queued"))
    ended = report(event(COMPLETED, "succeeded", timeToDeploy=2.5))

    assert begun == DeployReport(
        id="release-41-7.1", service="Shop", environment="Production", status="in_progress", started_at=AT,
        release="Release-41", url=WEB,
    )  # fmt: skip
    assert ended == DeployReport(
        id="release-41-7.1", service="Shop", environment="Production", status="success",
        started_at=AT - dt.timedelta(minutes=2.5), finished_at=AT, release="Release-41", url=WEB,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "becomes"),
    [("succeeded", "success"), ("partiallySucceeded", "success"), ("rejected", "failure"), ("canceled", "failure")],
)
def test_how_it_ended(status: str, becomes: str) -> None:
    assert report(event(COMPLETED, status)).status == becomes


def test_another_attempt_is_another_deploy() -> None:
    steps = [{"attempt": 1}, {"attempt": 2}]

    assert report(event(COMPLETED, "succeeded", deploySteps=steps)).id == "release-41-7.2"
    assert report(event(COMPLETED, "succeeded", resource={"attemptId": 3})).id == "release-41-7.3"


def test_what_the_whole_release_tells() -> None:
    artifact = {
        "definitionReference": {
            "sourceVersion": {"id": "600C52D2D5B655CAA111ABFD863E5A9BD304BB0E"}, "repository": {"id": "9", "name": "shop-web"},
        }
    }  # fmt: skip
    whole = {"name": None, "artifacts": [artifact], "releaseDefinition": {"id": 1, "name": "Shop.CD"}}
    clocks = {"startedOn": "2026-03-03T10:00:00Z", "completedOn": "2026-03-03T10:04:00Z"}

    said = message(event(COMPLETED, "succeeded", resource={"release": whole, "deployment": clocks}))
    only = said.said[0]

    assert (only.repository, only.trigger) == ("shop-web", "Shop.CD")
    assert isinstance(only.report, DeployReport)
    assert only.report.service == "Shop.CD"
    assert only.report.commit == "600c52d2d5b655caa111abfd863e5a9bd304bb0e"
    assert only.report.started_at == dt.datetime(2026, 3, 3, 10, 0, tzinfo=dt.UTC)
    assert only.report.finished_at == dt.datetime(2026, 3, 3, 10, 4, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (event(COMPLETED, "queued"), "queued: unknown result"),
        ({"eventType": "ms.vss-release.release-created-event", "id": "1"}, "release-created"),
        ({"eventType": "ms.vss-release.deployment-approval-pending-event", "id": "1"}, "approval-pending"),
    ],
)
def test_other_events_are_ignored_with_a_reason(said: dict[str, Any], why: str) -> None:
    found = message(said)

    assert not found.said
    assert why in found.ignored


def test_a_deployment_without_its_release_is_unexpected() -> None:
    said = event(STARTED, "queued", release={"id": 41})

    with pytest.raises(UnexpectedPayload, match=r"resource\.environment\.release\.name"):
        message(said)
