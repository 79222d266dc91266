"""Release-health items: updates of single sessions, and minute buckets of sessions as increments of traffic counts.

Rules of sentry-docs develop-docs/sdk/telemetry/sessions. A single session is sent again, whole, with each change of its
state, and known by its `sid`; `init` marks its first update, `seq` or the timestamp tell the order of the others.
Buckets have no identity: one that a proxy repeats is counted again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incidents.domain.sessions import FAILED_STATES, FINAL_STATES, STATES, Ending
from incidents.formats.envelope import canonical_id
from incidents.formats.sentry_event import ENVIRONMENT, NAME
from incidents.formats.strict_json import clean_text
from incidents.formats.timestamps import parse_timestamp

MAX_BUCKETS = 100
_MOST = 10**9
_LAST_ORDER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class TrafficIncrement:
    """`count` more sessions began in the bucket that contains `at`, `failed` of them crashed or ended abnormally."""

    at: datetime
    environment: str
    release: str
    count: int
    failed: int


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """The state of one session that began `at`. `sid` is 32 hexadecimal digits; `ending` is None while it goes on."""

    sid: str
    at: datetime
    environment: str
    release: str
    is_init: bool = False
    order: int = 0
    ending: Ending | None = None


def parse_session(payload: Mapping[str, object]) -> SessionUpdate | TrafficIncrement | None:
    """One update of a session; None where it cannot be read.

    A session without a `sid` cannot be known again, so it is an increment at once: counted where it says `init`, failed
    where it failed.
    """
    attributes = payload.get("attrs")
    timestamp = parse_timestamp(payload.get("timestamp"))
    started = parse_timestamp(payload.get("started")) or timestamp
    status = payload.get("status", "ok")
    if started is None or not isinstance(attributes, dict) or not isinstance(status, str) or status not in STATES:
        return None
    environment, release = _environment(attributes), _name(attributes.get("release"))
    is_init, failed = payload.get("init") is True, status in FAILED_STATES
    sid = _sid(payload.get("sid"))
    if not sid:
        is_news = is_init or failed
        return TrafficIncrement(started, environment, release, int(is_init), int(failed)) if is_news else None
    order = 0 if is_init else _order(payload.get("seq"), timestamp or started)
    ending = Ending(order, failed) if status in FINAL_STATES else None
    return SessionUpdate(sid, started, environment, release, is_init, order, ending)


def _sid(value: object) -> str:
    """The session's id, the same for every spelling of a UUID; other texts are hashed to the same length."""
    if not isinstance(value, str) or not value:
        return ""
    return canonical_id(value) or hashlib.blake2b(clean_text(value[:1000]).encode(), digest_size=16).hexdigest()


def _order(seq: object, timestamp: datetime) -> int:
    """The update's place: `seq`, which defaults to the timestamp in milliseconds."""
    if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq <= _LAST_ORDER:
        return seq
    return int(timestamp.timestamp() * 1000)


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
