"""A stored error report as a person reads it: the chain of errors with their stacks, and what surrounded it.

The report came from outside and was only scrubbed, so every part may be missing or of another type; such a part is
left out. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incidents.domain.event import Frame
from incidents.domain.frames import is_in_app
from incidents.formats.timestamps import parse_timestamp

MOST_EXCEPTIONS = 20
MOST_FRAMES = 200
MOST_CRUMBS = 100
LONGEST = 4_000
#: Where a stored report keeps what the sender's clock said, when that was corrected. No part of what senders may say.
CLOCK_MARK = "_clock"
#: Where it keeps which of its parts were cut, by name. Senders cannot set it either.
CUT_MARK = "truncated"
_CUT_WORDS = {
    "exceptions": "some of its errors",
    "frames": "the outermost calls of the stack",
    "message": "the end of the message",
    "tags": "some tags or their ends",
}
_Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """One call. `lines` are (number, code, is the failing one); empty where the sender told no source."""

    place: str
    function: str
    is_own: bool
    lines: tuple[tuple[int, str, bool], ...]
    variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ShownError:
    """One error of the chain; frames innermost first."""

    type: str
    message: str
    frames: tuple[ShownFrame, ...]
    is_handled: bool | None

    @property
    def own_count(self) -> int:
        """How many of its frames are the team's own code."""
        return sum(frame.is_own for frame in self.frames)


@dataclass(frozen=True, slots=True)
class ShownCrumb:
    """Something that happened before."""

    at: str
    category: str
    message: str
    level: str


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """The report, the error that is named first and its causes after it.

    `told_at` is the time that the sender gave, where its clock was wrong and the time was corrected. `cut`
    names in words what was left out, because there was more of it than is kept.
    """

    errors: tuple[ShownError, ...]
    request: tuple[tuple[str, str], ...]
    contexts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    crumbs: tuple[ShownCrumb, ...]
    told_at: datetime | None = None
    cut: tuple[str, ...] = ()


def shown_event(payload: object) -> ShownEvent:
    """What a person reads of a report."""
    report = _object(payload)
    errors = [_error(each) for each in _values(report.get("exception"))[-MOST_EXCEPTIONS:]]
    errors.reverse()
    if not errors:
        frames = _frames(report.get("stacktrace"))
        errors = [ShownError(type="", message=_message(report), frames=frames, is_handled=None)] if frames else []
    return ShownEvent(
        errors=tuple(errors),
        request=_request(_object(report.get("request"))),
        contexts=_contexts(report),
        crumbs=tuple(_crumb(each) for each in _values(report.get("breadcrumbs"))[-MOST_CRUMBS:]),
        told_at=parse_timestamp(_object(report.get(CLOCK_MARK)).get("told")),
        cut=tuple(words for name, words in _CUT_WORDS.items() if name in _texts(report.get(CUT_MARK))),
    )


def _object(value: object) -> _Json:
    return value if isinstance(value, dict) else {}


def _values(value: object) -> list[_Json]:
    if isinstance(value, dict):
        value = value.get("values", [value])
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object, longest: int = LONGEST) -> str:
    """A text as sent, anything else spelled; cut to `longest` characters."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _message(report: _Json) -> str:
    entry = report.get("logentry")
    found = _object(entry).get("formatted") or _object(entry).get("message") or report.get("message")
    return _text(found) if isinstance(found, str) else ""


def _error(item: _Json) -> ShownError:
    handled = _object(item.get("mechanism")).get("handled")
    return ShownError(
        type=_text(item.get("type"), 300),
        message=_text(item.get("value")),
        frames=_frames(item.get("stacktrace")),
        is_handled=handled if isinstance(handled, bool) else None,
    )


def _frames(stacktrace: object) -> tuple[ShownFrame, ...]:
    """Innermost first; the outermost are left out where there are too many."""
    sent = _object(stacktrace).get("frames")
    items = [each for each in sent if isinstance(each, dict)] if isinstance(sent, list) else []
    return tuple(_frame(each) for each in reversed(items[-MOST_FRAMES:]))


def _frame(item: _Json) -> ShownFrame:
    line = item.get("lineno")
    number = line if isinstance(line, int) and not isinstance(line, bool) and line > 0 else 0
    file = _text(item.get("filename") or item.get("abs_path") or item.get("module"), 500)
    return ShownFrame(
        place=f"{file}:{number}" if number else file,
        function=_text(item.get("function"), 300),
        is_own=is_in_app(_plain_frame(item)),
        lines=_lines(item, number),
        variables=tuple(
            (_text(name, 100), _text(value, 500)) for name, value in list(_object(item.get("vars")).items())[:40]
        ),
    )


def _plain_frame(item: _Json) -> Frame:
    """The frame as grouping sees it, so that both mean the same by own code."""
    in_app = item.get("in_app")
    return Frame(
        file=_text(item.get("filename") or item.get("abs_path"), 500),
        module=_text(item.get("module"), 300),
        function=_text(item.get("function"), 300),
        in_app=in_app if isinstance(in_app, bool) else None,
    )


def _lines(item: _Json, number: int) -> tuple[tuple[int, str, bool], ...]:
    here = item.get("context_line")
    if not isinstance(here, str):
        return ()
    before, after = _texts(item.get("pre_context"))[-5:], _texts(item.get("post_context"))[:5]
    first = number - len(before)
    code = [*before, here, *after]
    return tuple((first + place, _text(line, 500), place == len(before)) for place, line in enumerate(code))


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _request(request: _Json) -> tuple[tuple[str, str], ...]:
    parts = [("method", request.get("method")), ("url", request.get("url")), ("query", request.get("query_string"))]
    return tuple((name, _text(value, 1_000)) for name, value in parts if value)


def _contexts(report: _Json) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Runtime, system, device and so on, each with its plain values; the flags and the trace are shown elsewhere."""
    found = []
    for name, context in list(_object(report.get("contexts")).items())[:20]:
        if name in {"flags", "trace"}:
            continue
        values = tuple(
            (_text(key, 100), _text(value, 300))
            for key, value in list(_object(context).items())[:20]
            if isinstance(value, str | int | float | bool) and key != "type"
        )
        if values:
            found.append((_text(name, 100), values))
    return tuple(found)


def _crumb(item: _Json) -> ShownCrumb:
    message = item.get("message")
    if not message:
        data = _object(item.get("data"))
        message = " ".join(_text(data.get(name), 300) for name in ("method", "url", "status_code") if data.get(name))
    return ShownCrumb(
        at=_text(item.get("timestamp"), 40),
        category=_text(item.get("category") or item.get("type"), 60),
        message=_text(message, 500),
        level=_text(item.get("level"), 10),
    )
