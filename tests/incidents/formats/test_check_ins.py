"""Check-ins as clients send them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.formats import envelope
from incidents.formats.check_ins import CheckIn, JobConfig, parse
from tests.incidents import recordings

RUN = "e5b34a33308445b99bd649ff3295f8cf"
CRONTAB = {"type": "crontab", "value": "0 2 * * *"}


def check_in(**fields: Any) -> dict[str, Any]:
    return {"check_in_id": RUN, "monitor_slug": "nightly", "status": "ok"} | fields


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (check_in(), CheckIn(RUN, "nightly", "ok", None, None, "production", "")),
        (
            check_in(
                check_in_id="e5b34a33-3084-45b9-9bd6-49ff3295f8cf",
                duration=1.5, timestamp="2026-03-04T12:00:00Z", environment="live", release="r",
            ),
            CheckIn(RUN, "nightly", "ok", datetime(2026, 3, 4, 12, tzinfo=UTC), 1.5, "live", "r"),
        ),
        (check_in(duration=-1), CheckIn(RUN, "nightly", "ok", None, None, "production", "")),
        (check_in(duration=True), CheckIn(RUN, "nightly", "ok", None, None, "production", "")),
        (check_in(status="unknown"), None),
        (check_in(status=["ok"]), None),
        (check_in(monitor_slug=""), None),
        (check_in(check_in_id="7"), None),
    ],
)  # fmt: skip
def test_a_check_in(payload: dict[str, Any], expected: CheckIn | None) -> None:
    assert parse(payload) == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"schedule": CRONTAB}, JobConfig("crontab", "0 2 * * *")),
        (
            {
                "schedule": {"type": "interval", "value": 10, "unit": "minute"}, "timezone": "Europe/Berlin",
                "checkin_margin": 5, "max_runtime": 60, "failure_issue_threshold": 2, "recovery_threshold": 3,
            },
            JobConfig("interval", "10 minute", "Europe/Berlin", 300, 3600, 2, 3),
        ),
        (
            {"schedule": CRONTAB, "timezone": "Mars", "checkin_margin": 0, "max_runtime": -3, "failure_issue_threshold": "2"},
            JobConfig("crontab", "0 2 * * *"),
        ),
        (
            {"schedule": CRONTAB, "checkin_margin": 10**12, "recovery_threshold": 10**12},
            JobConfig("crontab", "0 2 * * *", margin_seconds=31 * 86_400, recovery_threshold=720),
        ),
        ({"schedule": {"type": "crontab", "value": "never"}}, None),
        ({"schedule": {"type": "interval", "value": 10}}, None),
        ({"schedule": {"type": "moon"}}, None),
        ({"schedule": "0 2 * * *"}, None),
        ("nonsense", None),
    ],
)  # fmt: skip
def test_a_schedule(config: object, expected: JobConfig | None) -> None:
    found = parse(check_in(monitor_config=config))

    assert found is not None
    assert found.config == expected


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("node.checkin.json", [("nightly-report", "in_progress", None), ("job2", "in_progress", None), ("nightly-report", "ok", 0.01), ("job2", "error", 0.0)]),
        ("python.checkin.json", [("nightly-report", "in_progress", None), ("nightly-report", "ok", 0.0), ("nightly-report2", "in_progress", None), ("nightly-report2", "error", 0.0), ("hb", "ok", 1.5)]),
    ],
)  # fmt: skip
def test_recorded_check_ins(shared: Path, name: str, expected: list[tuple[str, str, float | None]]) -> None:
    found = []
    for request in recordings.read(shared / "fixtures/sentry-envelopes" / name):
        for item in envelope.parse(request.body).items:
            told = parse(json.loads(item.payload))
            assert told is not None
            found.append((told.slug, told.status, None if told.seconds is None else round(told.seconds, 2)))

    assert found == expected


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["ok", "crontab", "day", RUN]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["schedule", "type", "value", "unit", "timezone", "max_runtime"]), inner)
    ),
    max_leaves=12,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(changed=st.dictionaries(st.sampled_from(["check_in_id", "monitor_slug", "status", "duration", "timestamp", "monitor_config"]), ANYTHING))  # fmt: skip
def test_wrong_types_anywhere_never_raise(changed: dict[str, object]) -> None:
    parse(check_in(**changed))
