"""The demo's story is the same each time, and hangs together."""

import datetime as dt
from collections import Counter

import pytest

from reliability.demo.story import demo_lines
from tests.conftest import NOON


@pytest.fixture(scope="module")
def lines() -> list[dict]:
    return demo_lines(NOON)


def test_the_same_anchor_tells_the_same_story(lines: list[dict]) -> None:
    assert demo_lines(NOON) == lines


def test_nothing_is_received_after_the_anchor_and_all_in_order(lines: list[dict]) -> None:
    received = [dt.datetime.fromisoformat(line["received_at"]) for line in lines]

    assert received == sorted(received)
    assert received[-1] <= NOON


def test_every_cause_and_remedy_is_a_deploy_of_the_story(lines: list[dict]) -> None:
    deploys = {line["payload"]["id"] for line in lines if line["kind"] == "deploy"}
    named = {
        each["id"]
        for line in lines
        if line["kind"] == "incident"
        for each in [*line["payload"].get("causes", []), *line["payload"].get("remedies", [])]
        if each["kind"] == "deploy"
    }

    assert named <= deploys
    assert len(named) > 15


def test_releases_go_up_and_rollbacks_go_back(lines: list[dict]) -> None:
    seen: dict[str, list[str]] = {}
    for line in lines:
        payload = line["payload"]
        if line["kind"] != "deploy" or payload["status"] != "success":
            continue
        known = seen.setdefault(payload["service"], [f"{payload['release'].split('.')[0]}.0.0"])
        assert (payload["release"] in known) == (payload.get("kind") == "rollback")
        known.append(payload["release"])


def test_each_kind_is_there(lines: list[dict]) -> None:
    counts = Counter(line["kind"] for line in lines)

    assert set(counts) == {
        "history",
        "service",
        "objective",
        "maintenance",
        "deploy",
        "change",
        "flag",
        "incident",
        "error",
        "sessions",
        "probe",
    }
