"""Reports with wrong types everywhere go the whole way: digest, detection, and the pages that show them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from incidents.actions import detection
from incidents.actions.digest import digest_events, payload_of
from incidents.formats.sentry_event import parse
from incidents.models import ErrorEvent, Incident, Issue
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory

ODD: list[dict[str, Any]] = [
    {"exception": ["x", None, {"type": "E", "stacktrace": {"frames": "no"}}]},
    {"exception": {"values": [None, {"type": 3, "value": [], "stacktrace": {"frames": [None, {"lineno": "x"}]}}]}},
    {"exception": {"type": "E", "stacktrace": {"frames": [{"lineno": -1, "filename": 5, "in_app": "yes"}]}}},
    {"breadcrumbs": 7, "request": [], "contexts": "x", "tags": {"a": {"b": 1}}, "user": "u", "fingerprint": {"x": 1}},
    {"message": "100% of %s {0} {{x}} \u2028 <script>alert(1)</script>", "level": {"x": 1}},
    {},
]


@pytest.mark.django_db
@pytest.mark.database
@pytest.mark.parametrize("payload", ODD)
def test_odd_reports_go_through_detection(payload: dict[str, Any]) -> None:
    service = ServiceFactory.create(first_event_at=NOON - dt.timedelta(days=7))
    events = [parse(payload, event_id=f"{n:032x}", received_at=NOON) for n in range(6)]

    digest_events(service=service, events=events, received_at=NOON)
    detection.run(now=NOON + dt.timedelta(seconds=1))

    assert (ErrorEvent.objects.count(), Issue.objects.count(), Incident.objects.count()) == (6, 1, 1)
    json.dumps(payload_of(ErrorEvent.objects.all()[0]))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["values", "frames", "type", "value", "stacktrace", "filename", "lineno"]), inner
        )
    ),
    max_leaves=8,
)


class AnyReport(TestCase):  # type: ignore[misc]  # hypothesis gives each example a transaction of its own this way only
    """Hypothesis draws reports; every one must be stored."""

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        payload=st.dictionaries(st.sampled_from(["exception", "message", "tags", "user", "release", "level"]), VALUES)
    )
    def test_any_report_is_stored(self, payload: dict[str, Any]) -> None:
        event = parse(payload, event_id="a" * 32, received_at=NOON)

        digest_events(service=ServiceFactory.create(), events=[event], received_at=NOON)

        assert ErrorEvent.objects.count() == 1
