"""A team's history as lines of the history format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson
from backports import zstd

from deploys.domain.instants import instant_text
from deploys.domain.records import Fact as DomainFact
from deploys.models import Team
from incidents.models import Check, ErrorEvent
from reliability.formats.history import line_of
from reliability.formats.history_keys import VERSION
from reliability.queries.facts import known_facts
from reliability.queries.traffic import traffic_lines

CHUNK: Final = 1000
Payload = dict[str, Any]  # Any: JSON


def history_lines(*, team: Team, with_errors: bool = True) -> Iterator[bytes]:
    """Facts in order of arrival, then traffic counts, probes and errors. The first line tells the format's version.

    Importing the lines into an empty team gives the same numbers. Counts of live traffic are printed as sums; users in
    error reports as the hashes by which they are told apart.
    """
    facts = known_facts(team=team)
    if not any(fact.kind == "history" and fact.received_at is None for fact in facts):
        yield line_of("history", {"version": VERSION, "made_by": "Upshot"}, None)
    for fact in facts:
        yield line_of("flag" if fact.kind == "flag_change" else fact.kind, _payload(fact), fact.received_at)
    for payload, received_at in traffic_lines(team=team):
        yield line_of("sessions", payload, received_at)
    for check in _checks(team):
        yield line_of("probe", _probe(check), check.received_at)
    if with_errors:
        for event in _errors(team):
            yield line_of("error", _error(event), event.received_at)


def _payload(fact: DomainFact) -> Payload:
    payload = dict(fact.payload)
    if fact.delivery_id is not None and fact.kind in {"deploy", "flag", "flag_change"}:
        payload.setdefault("delivery_id", fact.delivery_id)
    return payload


def _checks(team: Team) -> Iterator[Check]:
    checks = (
        Check.objects.filter(service__team=team)
        .exclude(source__startswith="job:")
        .select_related("service", "environment")
    )
    return checks.order_by("at", "id").iterator(CHUNK)


def _probe(check: Check) -> Payload:
    payload: Payload = {
        "service": check.service.name,
        "environment": check.environment.name,
        "at": instant_text(check.at),
        "ok": check.ok,
    }
    measured = {"status": check.status, "latency_ms": check.latency_ms}
    return payload | {key: value for key, value in measured.items() if value is not None}


def _errors(team: Team) -> Iterator[ErrorEvent]:
    events = ErrorEvent.objects.filter(service__team=team).select_related("service", "environment", "issue")
    return events.order_by("received_at", "id").iterator(CHUNK)


def _error(event: ErrorEvent) -> Payload:
    report: Payload = orjson.loads(zstd.decompress(bytes(event.payload))) if event.payload else {}
    told = {
        "release": event.release,
        "type": event.issue.type,
        "message": event.message,
        "frames": _frames(report),
        "user": event.user_key,
        "host": event.host,
        "tags": event.tags,
        "flags": event.flags,
    }
    payload: Payload = {
        "event_id": event.event_id,
        "timestamp": instant_text(event.timestamp),
        "service": event.service.name,
        "environment": event.environment.name,
    }
    return payload | {key: value for key, value in told.items() if value}


def _frames(report: Payload) -> list[Payload]:
    """The frames of the innermost exception that has a stack."""
    exception = report.get("exception")
    values = exception.get("values") if isinstance(exception, dict) else exception
    stacks = (
        [value.get("stacktrace") for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    )
    sent = [stack["frames"] for stack in stacks if isinstance(stack, dict) and isinstance(stack.get("frames"), list)]
    frames: list[Payload] = [frame for frame in sent[-1] if isinstance(frame, dict)] if sent else []
    names = {"filename": "file", "function": "function", "lineno": "line", "in_app": "in_app"}
    return [
        {ours: frame[theirs] for theirs, ours in names.items() if frame.get(theirs) is not None} for frame in frames
    ]
