"""Messages of sentry-cli, and what is none."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.commits import CommitReport
from deploys.domain.release_report import ReleaseReport
from deploys.formats.sentry_releases import (
    ReleaseMessage,
    UnreadableMessage,
    read_deploy,
    read_release,
    valid_version,
)

AT = dt.datetime(2026, 11, 21, 0, 52, 51, 409781, tzinfo=dt.UTC)


def test_a_release_with_all_it_can_have() -> None:
    message = {
        "version": " app@1.2.3 ", "projects": ["shop", "web", "shop"], "url": "https://ci.example.com/1",
        "dateStarted": "2026-11-21T00:52:50Z", "dateReleased": "2026-11-21T00:52:51.409781228Z", "status": "archived",
        "commits": [
            {
                "id": "8b5b", "timestamp": "2026-11-21T00:52:51.409781Z", "author_name": "", "author_email": "a@b.c",
                "message": "change 3\n\nmore", "repository": "origin",
                "patch_set": [{"path": "f3.txt", "type": "A"}, {"path": ""}, {"path": 7}, "x", {"path": "a\nb"}],
            }
        ],
    }  # fmt: skip

    assert read_release(message, project="api") == ReleaseMessage(
        ReleaseReport(
            version="app@1.2.3", url="https://ci.example.com/1", released_at=AT, is_archived=True,
            commits=(CommitReport("8b5b", AT, "a@b.c", "change 3", ("f3.txt",)),),
        ),
        ("api", "shop", "web"),
    )  # fmt: skip


def test_heads_of_repositories_are_commits_without_a_time() -> None:
    message = {"refs": [{"repository": "acme/shop", "commit": "def456", "previousCommit": None}]}

    assert read_release(message, version="1").report == ReleaseReport(
        "1", commits=(CommitReport("def456"),), are_heads=True
    )
    assert read_release({"refs": []}, version="1").report == ReleaseReport("1", commits=())


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ([], "body: expected a JSON object"),
        ({}, "version: expected 1 to 250 printable characters"),
        ({"version": "a\nb"}, "version: expected 1 to 250 printable characters"),
        ({"version": "feature/x"}, "version: expected a name without slashes that is not . or .. or latest"),
        ({"version": "1", "projects": "shop"}, "projects: expected a list of names"),
        ({"version": "1", "projects": [7]}, "projects: expected at most 100 names of 1 to 200 printable characters"),
        ({"version": "1", "status": "deleted"}, "status: expected open or archived"),
        ({"version": "1", "url": 7}, "url: expected text"),
        ({"version": "1", "dateReleased": "yesterday"}, "dateReleased: expected a time with offset"),
        ({"version": "1", "dateReleased": 0}, "dateReleased: expected a time from 1990 to 2199"),
        ({"version": "1", "commits": {}}, "commits, refs: expected a list"),
        ({"version": "1", "commits": [7]}, "commits: expected a JSON object"),
        ({"version": "1", "commits": [{}]}, "commits/0/id: expected a commit's hash"),
        ({"version": "1", "refs": [{"commit": ""}]}, "refs/0/commit: expected a commit's hash"),
    ],
)
def test_what_is_wrong_is_said(message: object, said: str) -> None:
    with pytest.raises(UnreadableMessage) as caught:
        read_release(message)

    assert str(caught.value) == said


def test_equal_deploys_have_one_identity_and_others_another() -> None:
    sent: dict[str, Any] = {"environment": "production", "name": "run 1", "url": None, "dateStarted": None, "dateFinished": "2026-11-21T00:52:51.409781228Z"}  # fmt: skip

    one, again = read_deploy(sent, version="1"), read_deploy(dict(reversed(sent.items())), version="1")
    others = [read_deploy(sent, version="2"), read_deploy({**sent, "name": "run 2"}, version="1")]

    assert one == again
    assert len({one.identity, *(each.identity for each in others)}) == 3
    report = one.report(version="1", service="shop")
    assert (report.started_at, report.finished_at, report.status) == (AT, AT, "success")


def test_a_deploy_needs_an_environment() -> None:
    with pytest.raises(UnreadableMessage):
        read_deploy({"environment": " "}, version="1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=5), each, max_size=4),
    max_leaves=8,
)
KEYS = (
    "version",
    "projects",
    "url",
    "dateReleased",
    "status",
    "commits",
    "refs",
    "environment",
    "name",
    "dateFinished",
)


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_json_is_read_or_refused(message: dict[str, Any]) -> None:
    for read in (lambda: read_release(message), lambda: read_deploy(message, version="1")):
        with contextlib.suppress(UnreadableMessage):
            read()


@given(st.text())
def test_a_valid_version_can_stand_in_an_address(text: str) -> None:
    try:
        version = valid_version(text)
    except UnreadableMessage:
        return
    assert 0 < len(version) <= 250
    assert not set(version) & set("/\\\n\t\0")
