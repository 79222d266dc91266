from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.changes import DeployReport
from deploys.formats.github import INACTIVE, STATES
from deploys.formats.github import read as read_inbound
from deploys.formats.reading import json_or_form
from deploys.formats.webhook import Inbound, Message, MissingEvent, NotTaken, Said, UnexpectedPayload, UnreadableBody
from tests.conftest import NOON

STARTED = dt.datetime(2026, 3, 3, 10, 0, tzinfo=dt.UTC)
ENDED = dt.datetime(2026, 3, 3, 10, 5, tzinfo=dt.UTC)


def inbound(body: bytes, event: str = "", content_type: str = "application/json") -> Inbound:
    return Inbound(body, {"x-github-event": event, "content-type": content_type}, NOON)


def read(event: str, said: dict[str, Any]) -> Message:
    (message,) = read_inbound(inbound(json.dumps(said).encode(), event))
    return message


def told(event: str, said: DeployReport) -> Message:
    return Message(event, "", [Said(said, "acme/shop")])


def payload(status: dict[str, Any] | None = None, **deployment: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "deployment": {
            "id": 17, "sha": "f95f852", "ref": "main", "task": "deploy", "environment": "production",
            "created_at": "2026-03-03T10:00:00Z", "payload": {}, **deployment,
        },
        "repository": {"full_name": "acme/shop"},
    }  # fmt: skip
    if status is not None:
        said["deployment_status"] = {"state": "success", "created_at": "2026-03-03T10:05:00Z", **status}
    return said


def report(**more: Any) -> DeployReport:
    facts = {
        "id": "17", "service": "shop", "environment": "production", "status": "in_progress", "started_at": STARTED,
        "release": "f95f852", "commit": "f95f852", **more,
    }  # fmt: skip
    return DeployReport(**facts)


def test_a_deployment_is_a_start() -> None:
    assert read("deployment", payload()) == told("deployment", report())


@pytest.mark.parametrize("state", list(STATES))
def test_states(state: str) -> None:
    is_final = state in {"success", "failure", "error"}

    said = read("deployment_status", payload({"state": state}))

    assert said == told("deployment_status", report(status=STATES[state], finished_at=ENDED if is_final else None))


@pytest.mark.parametrize(
    ("deployment", "more"),
    [
        ({"payload": {"release": "1.4.2", "artifact": "sha256:ab"}}, {"release": "1.4.2", "artifact": "sha256:ab"}),
        ({"payload": '{"version": "1.4.2"}'}, {"release": "1.4.2"}),
        ({"payload": "not json"}, {}),
        ({"ref": "v1.4.2"}, {"release": "v1.4.2"}),
        ({"ref": "refs/tags/2026.03.03-2"}, {"release": "2026.03.03-2"}),
        ({"ref": "f95f852"}, {}),
        ({"task": "deploy:rollback"}, {"kind": "rollback"}),
        ({"description": "Friday\nfix"}, {"description": "Friday fix"}),
    ],
)
def test_version_and_kind(deployment: dict[str, Any], more: dict[str, Any]) -> None:
    assert read("deployment", payload(**deployment)) == told("deployment", report(**more))


@pytest.mark.parametrize(
    ("status", "url"),
    [
        (
            {"target_url": "https://ci.example.org/1", "environment_url": "https://shop.example.org"},
            "https://ci.example.org/1",
        ),
        ({"log_url": "", "target_url": "javascript:alert(1)"}, None),
        ({"log_url": "https://x/" + "a" * 600}, None),
    ],
)
def test_addresses(status: dict[str, Any], url: str | None) -> None:
    said = read("deployment_status", payload(status))

    report = said.said[0].report
    assert isinstance(report, DeployReport)
    assert report.url == url


@pytest.mark.parametrize(
    ("event", "body", "reason"),
    [
        ("ping", {}, "ping: the webhook is set up"),
        ("deployment_status", payload({"state": "inactive"}), INACTIVE),
        ("release", {"action": "deleted"}, "deleted: only published releases count"),
        ("workflow_run", {**payload(), "workflow_run": {"conclusion": "skipped"}}, "skipped: the run deployed nothing"),
        ("push", {**payload(), "after": "0" * 40, "ref": "refs/heads/a"}, "push: refs/heads/a was deleted"),
        ("push", {**payload(), "after": "f" * 40}, "push: no commits"),
        (
            "issues",
            {**payload(), "action": "transferred", "issue": {}},
            "transferred: it goes on under another address",
        ),
        ("deployment_status", payload({"state": "odd"}), "odd: unknown state"),
    ],
)
def test_what_says_nothing_is_ignored(event: str, body: dict[str, Any], reason: str) -> None:
    assert read(event, body) == Message(event, "", ignored=reason)


def test_events_that_say_nothing_have_a_page() -> None:
    said = read("check_run", {})

    assert (said.ignored, said.problem) == (
        "check_run: only deployment, deployment_status, push, workflow_run, release and issues say something to record",
        "unsupported-event",
    )


def test_an_event_must_be_named() -> None:
    with pytest.raises(MissingEvent):
        read_inbound(inbound(b"{}"))


@pytest.mark.parametrize(
    ("event", "body", "said"),
    [
        ("deployment", {}, "deployment: expected an object"),
        ("deployment", payload(id=None), "deployment.id: expected a text or a number"),
        ("deployment", payload(created_at="2026-03-03"), "deployment.created_at: expected a time with offset"),
        ("deployment_status", payload(), "deployment_status: expected an object"),
        ("deployment", {**payload(), "repository": []}, "repository: expected an object"),
    ],
)
def test_what_lacks_something_says_where(event: str, body: dict[str, Any], said: str) -> None:
    with pytest.raises(UnexpectedPayload, match=said):
        read(event, body)


def test_bodies_are_json_or_a_form_field() -> None:
    form = urlencode({"payload": json.dumps({"a": "é"})}).encode()

    assert json_or_form(inbound(b'{"a": 1}', content_type="application/json; charset=utf-8")) == {"a": 1}
    assert json_or_form(inbound(form, content_type="application/x-www-form-urlencoded")) == {"a": "é"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b"a=1", "application/x-www-form-urlencoded"),
        (b"[" * 9999, ""),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, content_type: str) -> None:
    with pytest.raises(UnreadableBody):
        json_or_form(inbound(body, content_type=content_type))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    event=st.sampled_from(["deployment", "deployment_status"]),
    deployment=st.dictionaries(
        st.sampled_from(["id", "sha", "ref", "task", "environment", "created_at", "payload", "description"]), anything
    ),
    status=st.dictionaries(st.sampled_from(["state", "created_at", "target_url"]), anything),
    repository=anything,
)
def test_hostile_payloads_are_read_or_refused(event: str, deployment: Any, status: Any, repository: Any) -> None:
    said = payload(status, **deployment)
    said["repository"]["full_name"] = repository
    with contextlib.suppress(NotTaken):
        read_inbound(inbound(json.dumps(said).encode(), event))
