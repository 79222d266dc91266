"""One accepted body as values: the way from bytes in the inbox to what the digest writes."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import orjson

from incidents.domain.event import ParsedEvent
from incidents.domain.scrubbing import DEFAULT, Scrubber
from incidents.domain.sender_clocks import HostClocks, drift, reading
from incidents.formats import bodies, check_ins, client_reports, envelope, requests, sentry_event, sessions, strict_json
from incidents.formats.shown_event import CLOCK_MARK

MAX_DECODED = 64 * 1024 * 1024
_Json = Mapping[str, object]
_Clock = Callable[[dt.datetime | None], dt.datetime]
"""An instant of the sender's clock by ours; None means when it sent."""


@dataclass(slots=True)
class Contents:
    """What a body held. `skipped` counts items by type that nobody here keeps."""

    events: list[ParsedEvent] = field(default_factory=list)
    traffic: list[sessions.TrafficIncrement] = field(default_factory=list)
    sessions: list[sessions.SessionUpdate] = field(default_factory=list)
    requests: list[requests.Request] = field(default_factory=list)
    check_ins: list[tuple[check_ins.CheckIn, dt.datetime]] = field(default_factory=list)
    losses: list[client_reports.Discarded] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def read_contents(
    body: bytes,
    *,
    kind: str,
    coding: str,
    event_id: str,
    received_at: dt.datetime,
    scrubber: Scrubber = DEFAULT,
    clocks: HostClocks | None = None,
    project: int = 0,
) -> Contents:
    """Everything in the body. Raises ValueError (of `bodies`, `envelope` or `strict_json`) where it cannot be read.

    `event_id` is the id that the sender was told. Items other than events that make no sense are skipped, not raised.
    `clocks` remembers what the hosts of each project said before.
    """
    clocks = clocks if clocks is not None else HostClocks()
    data = bodies.decode(body, coding=coding, limit=MAX_DECODED)
    contents = Contents()
    if kind == "store":
        payload = strict_json.loads_object(data)
        contents.events.append(
            _timed(
                sentry_event.parse(payload, event_id=event_id, received_at=received_at, scrubber=scrubber),
                None,
                received_at,
                clocks,
                project,
            )
        )
        return contents
    found = envelope.parse(data)
    for item in found.items:
        if item.type == "event":
            payload = strict_json.loads_object(item.payload)
            parsed = sentry_event.parse(payload, event_id=event_id, received_at=received_at, scrubber=scrubber)
            contents.events.append(_timed(parsed, found.sent_at, received_at, clocks, project))
        else:
            _read_other(item, contents, found.sent_at, received_at)
    _clean_names(contents, scrubber)
    return contents


_Named = TypeVar("_Named", sessions.TrafficIncrement, sessions.SessionUpdate, requests.Request, check_ins.CheckIn)


def _clean_names(contents: Contents, scrubber: Scrubber) -> None:
    """Whatever is counted by a name that a sender chose is counted by its scrubbed name."""
    contents.traffic = [_with_clean_names(each, scrubber) for each in contents.traffic]
    contents.sessions = [_with_clean_names(each, scrubber) for each in contents.sessions]
    contents.requests = [_with_clean_names(each, scrubber) for each in contents.requests]
    contents.check_ins = [
        (dataclasses.replace(_with_clean_names(each, scrubber), slug=scrubber.text(each.slug)[: check_ins.SLUG]), at)
        for each, at in contents.check_ins
    ]
    contents.losses = [
        dataclasses.replace(each, reason=scrubber.text(each.reason), category=scrubber.text(each.category))
        for each in contents.losses
    ]
    contents.skipped = Counter({scrubber.text(kind): count for kind, count in contents.skipped.items() if count})


def _with_clean_names(each: _Named, scrubber: Scrubber) -> _Named:
    environment, release = scrubber.text(each.environment)[: sentry_event.ENVIRONMENT], scrubber.text(each.release)
    if (environment, release) == (each.environment, each.release):
        return each
    return dataclasses.replace(each, environment=environment, release=release)


def _timed(
    parsed: ParsedEvent, sent_at: dt.datetime | None, received_at: dt.datetime, clocks: HostClocks, project: int
) -> ParsedEvent:
    """The event by our clock. Where that is not what it says, its report tells what it said."""
    told = parsed.event.timestamp
    host = (project, parsed.event.host) if parsed.event.host else None
    found = reading(told, clocks.offset(host, sent_at, received_at), received_at)
    payload = parsed.payload
    if found.told is not None and payload:
        mark = orjson.dumps({CLOCK_MARK: {"told": told.isoformat(), "sent_at": sent_at and sent_at.isoformat()}})
        payload = mark[:-1] + (b"," if len(payload) > 2 else b"") + payload[1:]
    return dataclasses.replace(parsed, event=dataclasses.replace(parsed.event, timestamp=found.at), payload=payload)


def _read_other(item: envelope.Item, contents: Contents, sent_at: dt.datetime | None, received_at: dt.datetime) -> None:
    """Items other than events; one that nobody keeps, or that makes no sense, is skipped and counted."""
    reader = _READERS.get(item.type)
    try:
        payload = strict_json.loads_object(item.payload) if reader else {}
    except strict_json.InvalidJson:
        reader = None
    if reader is None:
        contents.skipped[item.type] += 1
        return
    offset = drift(sent_at, received_at)
    reader(item, payload, contents, lambda moment: reading(moment or sent_at or received_at, offset, received_at).at)


def _read_session(_: envelope.Item, payload: _Json, contents: Contents, ours: _Clock) -> None:
    session = sessions.parse_session(payload)
    if isinstance(session, sessions.SessionUpdate):
        contents.sessions.append(dataclasses.replace(session, at=ours(session.at)))
    elif session is not None:
        contents.traffic.append(dataclasses.replace(session, at=ours(session.at)))


def _read_sessions(_: envelope.Item, payload: _Json, contents: Contents, ours: _Clock) -> None:
    found = sessions.parse_aggregates(payload)
    contents.traffic += [dataclasses.replace(each, at=ours(each.at)) for each in found]


def _read_report(_: envelope.Item, payload: _Json, contents: Contents, ours: _Clock) -> None:
    found = client_reports.parse(payload)
    contents.losses += [dataclasses.replace(each, at=ours(each.at) if each.at else None) for each in found]


def _read_requests(item: envelope.Item, payload: _Json, contents: Contents, ours: _Clock) -> None:
    """A transaction is a request or none; of an item of spans, the roots are."""
    found: list[requests.Request] = []
    if item.type == "transaction":
        request = requests.parse_transaction(payload)
        found = [request] if request else []
    elif item.headers.get("content_type") == requests.SPANS_V2:
        found = requests.parse_spans(payload)
    contents.requests += [dataclasses.replace(each, at=ours(each.at)) for each in found]
    contents.skipped[item.type] += not found


def _read_check_in(item: envelope.Item, payload: _Json, contents: Contents, ours: _Clock) -> None:
    """Some clients tell no time of a check-in: then it is that of the sending."""
    found = check_ins.parse(payload)
    if found is None:
        contents.skipped[item.type] += 1
    else:
        contents.check_ins.append((found, ours(found.at)))


_READERS: dict[str, Callable[[envelope.Item, _Json, Contents, _Clock], None]] = {
    "session": _read_session,
    "sessions": _read_sessions,
    "client_report": _read_report,
    "transaction": _read_requests,
    "span": _read_requests,
    "check_in": _read_check_in,
}
