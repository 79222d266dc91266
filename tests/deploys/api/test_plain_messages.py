"""Messages read without the serializer are what the serializer makes of them, or are left to it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.api.plain_messages import plain_values
from deploys.api.serializers import DeployMessage, report_of

INSTANTS = st.sampled_from(
    ["2026-03-04T11:00:00Z", "2026-03-04T12:00:00+01:00", 1772618400, 1772618400.5, "2026-03-04T11:00:00", "", True, None, 0, [1]]
)  # fmt: skip
NAMES = st.sampled_from(["shop", "1.4.2", " shop", "", "a\nb", "x" * 101, "x" * 251, "Grün", 7, 1.5, True, None, ["a"]])
COMMITS = st.sampled_from(
    [[], [{"sha": "a" * 40}], [{"sha": "b" * 40, "title": "Fix\n\nmore", "files": ["a.py", 3, ""]}], [{}], "x", None]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": NAMES, "service": NAMES, "environment": NAMES, "status": st.sampled_from(["success", "done", "in_progress", None, 1]),
    "started_at": INSTANTS, "finished_at": INSTANTS, "live_at": INSTANTS, "release": NAMES, "artifact": NAMES,
    "kind": st.sampled_from(["rollback", "odd", None]), "strategy": NAMES,
    "percent": st.sampled_from([0, 5, 5.0, 33.3, 100, 101, -1, "7", True, None, float("inf")]),
    "files": st.sampled_from([[], ["a.py", "b/c.py"], ["a\x00"], [" a"], [7], "a.py", None]),
    "description": st.sampled_from(["", "two\nlines", " led", "a\x00b", "\ud800", 7, None]),
    "url": st.sampled_from(["https://ci.example/1", "http://bot:pw@ci/1", "javascript:1", "https://", "", None]),
    "commit": NAMES, "commits": COMMITS, "delivery_id": NAMES, "colour": NAMES,
}  # fmt: skip
FULL = {
    "id": "42", "service": "shop", "environment": "staging", "status": "success", "started_at": "2026-03-04T11:00:00Z",
    "finished_at": 1772622300.25, "live_at": "2026-03-04T12:04:00+01:00", "release": "1.4.2", "artifact": "sha256:1",
    "kind": "hotfix", "strategy": "canary", "percent": 25, "files": ["a.py"], "description": "Two\nlines",
    "url": "https://bot:hunter2@ci.example/1", "commit": "a" * 40, "commits": [{"sha": "a" * 40, "files": ["b.py"]}],
    "delivery_id": "d1", "colour": "red",
}  # fmt: skip


def test_a_message_with_everything_is_plain() -> None:
    message = DeployMessage(data=FULL)
    assert message.is_valid()

    values = plain_values(FULL)

    assert values == message.validated_data
    assert values is not None
    assert (report_of(values), values["url"]) == (message.report(), "https://ci.example/1")
    assert values.keys() == DeployMessage().fields.keys()


@given(st.fixed_dictionaries({}, optional=VALUES), st.booleans())
def test_what_is_read_is_what_the_serializer_reads(said: dict[str, Any], is_named: bool) -> None:
    data = {"id": "42", "service": "shop", **said} if is_named else said

    values = plain_values(data)

    if values is not None:
        message = DeployMessage(data=data)
        assert message.is_valid(), message.errors
        assert values == message.validated_data
        assert {key: type(value) for key, value in values.items()} == {
            key: type(value) for key, value in message.validated_data.items()
        }


@pytest.mark.parametrize("data", [None, [], "x", {}, {"id": "1"}, {"service": "shop"}])
def test_what_is_no_message_is_left_to_the_serializer(data: Any) -> None:
    assert plain_values(data) is None
    assert plain_values(orjson.loads(orjson.dumps(data))) is None
