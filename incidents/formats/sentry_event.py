"""One error report of the Sentry protocol, of any client and age, as a ParsedEvent.

Nothing here raises on content: a field of a wrong type is a field that was not sent. The interfaces and their older
spellings (`sentry.interfaces.Exception`, a level of 40, tags as pairs) are those of sentry-docs,
develop-docs/sdk/foundations/data-model/event-payloads, and of the recorded clients raven and sentry-sdk 0.19.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from incidents.domain.event import LEVELS, ErrorEvent, Frame, ParsedEvent
from incidents.domain.scrubbing import DEFAULT, Scrubber
from incidents.formats.shown_event import CUT_MARK
from incidents.formats.strict_json import clean_text
from incidents.formats.timestamps import parse_timestamp

MAX_FRAMES = 250
MAX_TAGS = 100
MAX_FLAGS = 100
MAX_EXCEPTIONS = 20
NAME = 200  # characters of a name: release, host, tag, flag
ENVIRONMENT = 100
TEXT = 8_192  # characters of a message

_LEGACY_LEVELS = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "fatal"}
_LEVEL_NAMES = {**{level: level for level in LEVELS}, "critical": "fatal", "warn": "warning", "log": "info"}
_SHOWN = (
    "message", "logentry", "exception", "threads", "stacktrace", "breadcrumbs", "request", "user", "contexts",
    "extra", "sdk", "logger", "transaction", "modules", "dist", "server_name", "level", "platform", "culprit",
)  # fmt: skip
_USER = frozenset({"id", "segment", "geo"})
_Json = Mapping[str, object]


def parse(payload: _Json, *, event_id: str, received_at: datetime, scrubber: Scrubber = DEFAULT) -> ParsedEvent:
    """The report in `payload`. `event_id` is the id the server answered; `received_at` stands in for a missing time.

    What the report is grouped and counted by comes out as sent, what is kept for reading only as `scrubber` leaves it.
    """
    exceptions = _exceptions(payload)
    main = exceptions[-1] if exceptions else {}
    contexts = _object(payload.get("contexts"))
    event = ErrorEvent(
        event_id=event_id,
        timestamp=parse_timestamp(payload.get("timestamp")) or received_at,
        type=_text(main.get("type"), NAME),
        message=_text(main.get("value"), TEXT) or _message(payload),
        environment=_text(payload.get("environment"), ENVIRONMENT) or "production",
        release=_text(payload.get("release"), NAME),
        frames=_frames(payload, exceptions),
        logger=_text(payload.get("logger"), NAME),
        transaction=_text(payload.get("transaction"), NAME) or _text(payload.get("culprit"), NAME),
        host=_text(payload.get("server_name"), NAME),
        user=_user(payload),
        session=_text(_object(contexts.get("trace")).get("trace_id"), 64),
        tags=_tags(payload.get("tags")),
        flags=_flags(contexts.get("flags")),
    )
    return ParsedEvent(
        event=event,
        level=_level(payload.get("level")),
        platform=_text(payload.get("platform"), 64),
        sent_fingerprint=tuple(_text(part, NAME) for part in _array(payload.get("fingerprint"))[:20]),
        from_request=_from_request(payload, contexts),
        crashed=any(_object(item.get("mechanism")).get("handled") is False for item in exceptions),
        payload=orjson.dumps(_marked(shown(payload, scrubber), _cut(payload, exceptions))),
    )


def _marked(report: dict[str, object], cut: Sequence[str]) -> dict[str, object]:
    """The report with a list of what of it was left out for its size."""
    return report | {CUT_MARK: list(cut)} if cut else report


def _cut(payload: _Json, exceptions: Sequence[_Json]) -> list[str]:
    """What of a report is longer than what is kept of it, by name."""
    stacks = [item.get("stacktrace") for item in exceptions] + [payload.get("stacktrace")]
    values = [item.get("value") for item in exceptions]
    for entry in (payload.get("logentry"), payload.get("message")):
        values += [entry.get("formatted"), entry.get("message")] if isinstance(entry, dict) else [entry]
    tags = payload.get("tags")
    found = {
        "exceptions": len(_values(payload.get("exception"))) > MAX_EXCEPTIONS,
        "frames": any(len(_array(_object(stack).get("frames"))) > MAX_FRAMES for stack in stacks),
        "message": any(isinstance(value, str) and len(value) > TEXT for value in values),
        "tags": isinstance(tags, dict | list)
        and (
            len(tags) > MAX_TAGS
            or (isinstance(tags, dict) and any(isinstance(each, str) and len(each) > NAME for each in tags.values()))
        ),
    }
    return sorted(name for name, is_cut in found.items() if is_cut)


def shown(payload: _Json, scrubber: Scrubber = DEFAULT) -> dict[str, object]:
    """The parts of the report that people read, scrubbed; tags stand in the event. The rest was for machines.

    Values filled into a message are local variables by another name: they stand in the message where they may.
    """
    kept = {name: payload[name] for name in _SHOWN if payload.get(name) not in (None, "", [], {})}
    rules = scrubber.rules
    user, entry = kept.get("user"), kept.get("logentry")
    if isinstance(user, dict):
        names = (
            _USER | ({"email"} if rules.keeps_emails else set()) | ({"ip_address"} if rules.keeps_addresses else set())
        )
        kept["user"] = {name: item for name, item in user.items() if name in names}
    if isinstance(entry, dict) and "params" in entry and not rules.keeps_locals:
        kept["logentry"] = {name: item for name, item in entry.items() if name != "params"}
    scrubbed = scrubber.value(kept)
    return scrubbed if isinstance(scrubbed, dict) else {}


def _text(value: object, limit: int) -> str:
    """A short clean text; numbers are spelled, everything else is nothing."""
    if isinstance(value, str) and len(value) <= limit and value.isascii() and "\0" not in value:
        return value.strip()  # nearly all of them
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        value = str(value) if abs(value) < 2**64 else ""
    if not isinstance(value, str):
        return ""
    return clean_text(value[: limit * 2]).strip()[:limit]


def _object(value: object) -> _Json:
    return value if isinstance(value, dict) else {}


def _array(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _values(value: object) -> list[_Json]:
    """Interfaces with many entries come as a list, as {"values": [...]} or, from old clients, as one entry."""
    if isinstance(value, dict):
        value = value.get("values", [value])
    return [item for item in _array(value) if isinstance(item, dict)]


def _exceptions(payload: _Json) -> list[_Json]:
    """The chain with the one to name the error by last: clients list causes first."""
    found = _values(payload.get("exception") or payload.get("sentry.interfaces.Exception"))[-MAX_EXCEPTIONS:]
    return [item for item in found if item.get("type") or item.get("value") or item.get("stacktrace")]


def _message(payload: _Json) -> str:
    for name in ("logentry", "sentry.interfaces.Message", "message"):
        value = payload.get(name)
        if isinstance(value, dict):
            text = _text(value.get("formatted"), TEXT) or _text(value.get("message"), TEXT)
        else:
            text = _text(value, TEXT)
        if text:
            return text
    return ""


def frames_of(payload: _Json) -> tuple[Frame, ...]:
    """The frames of a stored report, with full paths where the client sent some: for comparing with changed files."""
    return _frames(payload, _exceptions(payload), has_full_paths=True)


def _frames(payload: _Json, exceptions: Sequence[_Json], *, has_full_paths: bool = False) -> tuple[Frame, ...]:
    """Frames of the named exception, else of its nearest cause that has some, else of the crashed or current thread."""
    candidates = [item.get("stacktrace") for item in reversed(exceptions)]
    candidates.append(payload.get("stacktrace") or payload.get("sentry.interfaces.Stacktrace"))
    threads = _values(payload.get("threads"))
    candidates += [item.get("stacktrace") for item in threads if item.get("crashed") or item.get("current")]
    for stacktrace in candidates:
        rows = [item for item in _array(_object(stacktrace).get("frames")) if isinstance(item, dict)]
        frames = [_frame(item, has_full_paths=has_full_paths) for item in rows[-MAX_FRAMES:]]
        if frames:
            return tuple(frames)
    return ()


def _frame(item: _Json, *, has_full_paths: bool) -> Frame:
    first, second = ("abs_path", "filename") if has_full_paths else ("filename", "abs_path")
    line = item.get("lineno")
    in_app = item.get("in_app")
    return Frame(
        file=_text(item.get(first), 500) or _text(item.get(second), 500),
        module=_text(item.get("module"), 300),
        function=_text(item.get("function"), 300),
        line=line if isinstance(line, int) and not isinstance(line, bool) and 0 <= line < 2**31 else 0,
        in_app=in_app if isinstance(in_app, bool) else None,
    )


def _user(payload: _Json) -> str:
    """What tells users apart: id, else name, e-mail, address. `{{auto}}` asks for the sender's address, which a proxy hides."""
    user = _object(payload.get("user") or payload.get("sentry.interfaces.User"))
    for name in ("id", "username", "email", "ip_address"):
        value = _text(user.get(name), NAME)
        if value and value != "{{auto}}":
            return value
    return ""


def _tags(value: object) -> dict[str, str]:
    """Tags as an object, as pairs, or as objects of key and value."""
    pairs: list[tuple[object, object]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    for item in _array(value):
        if isinstance(item, list) and len(item) == 2:
            pairs.append((item[0], item[1]))
        elif isinstance(item, dict):
            pairs.append((item.get("key"), item.get("value")))
    tags = {_text(name, NAME): _text(item, NAME) for name, item in pairs[:MAX_TAGS]}
    return {name: item for name, item in tags.items() if name and item}


def _flags(value: object) -> dict[str, bool]:
    """Feature flags evaluated before the error; only boolean results say which side somebody was on."""
    flags: dict[str, bool] = {}
    for item in _array(_object(value).get("values"))[-MAX_FLAGS:]:
        name, result = _text(_object(item).get("flag"), NAME), _object(item).get("result")
        if name and isinstance(result, bool):
            flags[name] = result
    return flags


def _level(value: object) -> str:
    if isinstance(value, str):
        return _LEVEL_NAMES.get(value.strip().lower(), "error")
    return _LEGACY_LEVELS.get(value, "error") if isinstance(value, int) and not isinstance(value, bool) else "error"


def _from_request(payload: _Json, contexts: _Json) -> bool | None:
    """True under a request; False where the client names a job or a command; None where nothing tells."""
    if _object(payload.get("request") or payload.get("sentry.interfaces.Http")).get("url"):
        return True
    operation = _text(_object(contexts.get("trace")).get("op"), NAME)
    if operation.startswith("http.server") or operation in ("pageload", "navigation", "websocket.server"):
        return True
    if operation.startswith(("queue.", "cron", "task", "function.")) or _object(payload.get("extra")).get("celery-job"):
        return False
    return None
