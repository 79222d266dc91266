"""Flips in other systems: what each message says, and what it leaves open is never told as fully on or off."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from deploys.domain.changes import FlagReport
from deploys.formats import flagsmith, flagtracking, unleash
from deploys.formats.webhook import Inbound, Message, UnexpectedPayload
from tests.conftest import NOON

AT = "2026-11-20T10:00:00Z"
TEN = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)


def inbound(said: object) -> Inbound:
    return Inbound(json.dumps(said).encode(), {"content-type": "application/json"}, NOON)


def report_of(messages: list[Message]) -> FlagReport:
    [message] = messages
    [said] = message.said
    assert isinstance(said.report, FlagReport)
    return said.report


def of_unleash(kind: str, **more: Any) -> list[Message]:
    return unleash.read(
        inbound({"id": 7, "type": kind, "createdAt": AT, "featureName": "f", "environment": "staging", **more})
    )


@pytest.mark.parametrize(
    ("kind", "more", "old", "new", "segment"),
    [
        ("feature-environment-enabled", {}, 0, 100, {"strategies": "as Unleash has them"}),
        ("feature-environment-disabled", {}, None, 0, None),
        ("feature-strategy-add", {"data": {"name": "default"}}, None, 100, None),
        ("feature-strategy-add", {"data": {"name": "default", "disabled": True}}, None, 0, None),
        ("feature-strategy-add", {"data": {"name": "flexibleRollout", "parameters": {"rollout": "900"}}}, None, 100, None),
        ("feature-strategy-add", {"data": {"name": "userWithId"}}, None, 100, {"strategy": "userWithId"}),
        (
            "feature-strategy-update",
            {
                "data": {"name": "flexibleRollout", "parameters": {"rollout": "50"}, "constraints": [1], "segments": [2]},
                "preData": {"name": "flexibleRollout", "parameters": {"rollout": "10"}},
            },
            10, 50, {"constraints": [1], "segments": [2]},
        ),
    ],
)  # fmt: skip
def test_changes_in_unleash(kind: str, more: dict[str, Any], old: float | None, new: float, segment: Any) -> None:
    report = report_of(of_unleash(kind, **more))

    assert (report.key, report.environment, report.at, report.id) == ("f", "staging", TEN, f"{kind} 7")
    assert (report.old_percent, report.new_percent, report.segment) == (old, new, segment)


def test_births_and_ends_in_unleash() -> None:
    born, gone = report_of(of_unleash("feature-created")), report_of(of_unleash("feature-archived"))

    assert (born.id, born.created_at) == (None, TEN)
    assert (gone.new_percent, gone.archived_at) == (0, TEN)


@pytest.mark.parametrize("kind", ["user-created", "feature-tagged", "feature-strategy-update"])
def test_what_unleash_tells_of_nobody_is_ignored(kind: str) -> None:
    [message] = of_unleash(kind)

    assert message.ignored


def of_flagsmith(event: str = "FLAG_UPDATED", **more: Any) -> list[Message]:
    state = {"enabled": True, "feature": {"id": 1, "name": "f"}, "environment": {"id": 2, "name": "Staging"}, **more}
    before = {**state, "enabled": False}
    return flagsmith.read(
        inbound({"event_type": event, "data": {"timestamp": AT, "new_state": state, "previous_state": before}})
    )


@pytest.mark.parametrize(
    ("more", "segment"),
    [
        ({}, None),
        ({"identity_identifier": "kim"}, {"user": "kim"}),
        ({"feature_segment": {"segment": {"id": 3, "name": "beta"}}}, {"segment": "beta"}),
        ({"multivariate_feature_state_values": [1]}, {"split": "several values"}),
    ],
)
def test_changes_in_flagsmith(more: dict[str, Any], segment: Any) -> None:
    report = report_of(of_flagsmith(**more))

    assert (report.environment, report.old_percent, report.new_percent, report.segment) == ("Staging", 0, 100, segment)


def test_ends_and_other_events_of_flagsmith() -> None:
    gone = report_of(of_flagsmith("FLAG_DELETED"))
    [other] = of_flagsmith("AUDIT_LOG_CREATED")

    assert (gone.new_percent, gone.archived_at) == (0, TEN)
    assert other.ignored
    with pytest.raises(UnexpectedPayload):
        of_flagsmith(enabled="yes")


def tracked(*changes: dict[str, Any], version: int = 1) -> list[Message]:
    listed = [{"flag": "f", "change_id": "1", "created_at": AT, **each} for each in changes]
    return flagtracking.read(inbound({"data": listed, "meta": {"version": version}}))


def test_tracked_changes_are_told_apart_though_their_id_is_the_same() -> None:
    first, second, third = tracked(
        {"action": "updated"}, {"action": "updated", "created_at": "2026-11-20T10:00:01Z"}, {"action": "moved"}
    )

    assert len({first.delivery_id, second.delivery_id, third.delivery_id}) == 3
    assert third.ignored
    report = report_of([first])
    assert (report.new_percent, report.segment) == (100, flagtracking.UNKNOWN)


def test_tracked_births_and_ends() -> None:
    born, gone = report_of(tracked({"action": "created"})), report_of(tracked({"action": "deleted"}))

    assert (born.created_at, gone.archived_at) == (TEN, TEN)
    assert (gone.new_percent, gone.segment) == (0, None)


def test_another_version_or_no_list_is_refused() -> None:
    with pytest.raises(UnexpectedPayload, match="version"):
        tracked(version=2)
    with pytest.raises(UnexpectedPayload, match="data"):
        flagtracking.read(inbound({"data": {}, "meta": {"version": 1}}))
    assert tracked()[0].ignored
