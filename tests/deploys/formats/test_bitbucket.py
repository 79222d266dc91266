"""Pushes of Bitbucket, which names at most five commits of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploys.domain.changes import PushReport
from deploys.formats.bitbucket import read
from deploys.formats.webhook import Inbound
from tests.conftest import NOON


def sha(number: int) -> str:
    return f"{number:040x}"


def push(**change: Any) -> PushReport:
    said = {
        "repository": {"full_name": "acme/shop", "mainbranch": {"name": "main"}},
        "push": {
            "changes": [
                {
                    "old": {"name": "main", "target": {"hash": sha(1)}},
                    "new": {"name": "main", "target": {"hash": sha(9), "date": "2026-03-03T10:00:00+00:00"}},
                    "commits": [{"hash": sha(number), "message": f"Change {number}"} for number in (9, 8, 7, 6, 5)],
                    **change,
                }
            ]
        },
    }  # fmt: skip
    headers = {"x-event-key": "repo:push", "x-request-uuid": "1"}
    (message,) = read(Inbound(json.dumps(said).encode(), headers, NOON))
    (only,) = message.said
    assert isinstance(only.report, PushReport)
    return only.report


@pytest.mark.parametrize(
    ("said", "is_truncated"), [({}, False), ({"truncated": False}, False), ({"truncated": True}, True)]
)
def test_a_push_says_whether_it_had_more_commits(said: dict[str, bool], is_truncated: bool) -> None:
    report = push(**said)

    assert report.is_truncated is is_truncated
    assert [commit.sha for commit in report.commits] == [sha(number) for number in (5, 6, 7, 8, 9)]
    assert (report.before, report.after, report.is_default) == (sha(1), sha(9), True)
