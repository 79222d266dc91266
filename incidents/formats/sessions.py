"""Release-health items: single sessions and minute buckets of sessions, as increments of traffic counts.

Rules of sentry-docs develop-docs/sdk/telemetry/sessions. A single session is sent again with each change of state:
the update marked `init` counts it, the one that ends it in a crash counts the failure. Crashed and abnormal are final
states, so a session tells of its failure once; an update that a proxy repeats is counted again, as it is for buckets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incidents.formats.sentry_event import ENVIRONMENT, NAME
from incidents.formats.strict_json import clean_text
from incidents.formats.timestamps import parse_timestamp

MAX_BUCKETS = 100
_MOST = 10**9
_FAILED_STATES = frozenset({"crashed", "abnormal"})
_STATES = frozenset({"ok", "exited", "errored"}) | _FAILED_STATES


@dataclass(frozen=True, slots=True)
class TrafficIncrement:
    """`count` more sessions began in the bucket that contains `at`, `failed` of them crashed or ended abnormally."""

    at: datetime
    environment: str
    release: str
    count: int
    failed: int


def parse_session(payload: Mapping[str, object]) -> TrafficIncrement | None:
    """What one session update adds; None where it adds nothing or cannot be read.

    A session begins with `init`; its end comes in a later update without it. Both land in the bucket of its start.
    """
    attributes = payload.get("attrs")
    started = parse_timestamp(payload.get("started")) or parse_timestamp(payload.get("timestamp"))
    status = payload.get("status", "ok")
    if started is None or not isinstance(attributes, dict) or not isinstance(status, str):
        return None
    if status not in _STATES:
        return None
    count, failed = int(payload.get("init") is True), int(status in _FAILED_STATES)
    if not count and not failed:
        return None
    return TrafficIncrement(started, _environment(attributes), _name(attributes.get("release")), count, failed)


def parse_aggregates(payload: Mapping[str, object]) -> list[TrafficIncrement]:
    """What one item of buckets adds: exited, errored, crashed and abnormal are disjoint; their sum is the traffic."""
    attributes = payload.get("attrs")
    buckets = payload.get("aggregates")
    if not isinstance(attributes, dict) or not isinstance(buckets, list):
        return []
    environment, release = _environment(attributes), _name(attributes.get("release"))
    found: list[TrafficIncrement] = []
    for bucket in buckets[:MAX_BUCKETS]:
        started = parse_timestamp(bucket.get("started")) if isinstance(bucket, dict) else None
        if started is None:
            continue
        failed = _number(bucket.get("crashed")) + _number(bucket.get("abnormal"))
        count = failed + _number(bucket.get("exited")) + _number(bucket.get("errored"))
        if count:
            found.append(TrafficIncrement(started, environment, release, count, failed))
    return found


def _name(value: object) -> str:
    return clean_text(value[: 2 * NAME]).strip()[:NAME] if isinstance(value, str) else ""


def _environment(attributes: Mapping[str, object]) -> str:
    return _name(attributes.get("environment"))[:ENVIRONMENT] or "production"


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST else 0
