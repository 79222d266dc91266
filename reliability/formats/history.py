"""The history format: bytes to checked facts and evidence, and the problems of lines that were refused.

A bad line is refused alone and leaves its record as it was. Lines may stand in any order; they are applied in the
order in which they were received.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import orjson

from deploys.domain.instants import FAR_PAST, NotAnInstant, instant_text, optional_instant
from deploys.domain.records import Fact, Payload, Record, grown, identity_of
from reliability.formats.history_keys import EVIDENCE_KINDS, KINDS, Kind, Unexpected, unknown_parts
from reliability.formats.history_records import named_services, record_problem

LONGEST_SHOWN = 120
_SENT_ONCE = frozenset({"error", "probe"})
"""Evidence that never changes: a second line about the same event is a repeat."""
_CHANGE_ONLY = KINDS["flag_change"].keys.keys() - KINDS["flag"].keys.keys()
_DESCRIPTION_ONLY = KINDS["flag"].keys.keys() - KINDS["flag_change"].keys.keys()


class Log(Protocol):
    """What was read before, in another file or on another day."""

    def record(self, kind: str, identity: str) -> Record | None:
        """The record that earlier facts made, if any."""

    def holds(self, facts: Sequence[Fact]) -> bool:
        """Whether a line of these facts was read before. Each earlier copy answers for one line."""


class EmptyLog:
    """Nothing was read before."""

    def record(self, kind: str, identity: str) -> Record | None:
        """None."""
        return None

    def holds(self, facts: Sequence[Fact]) -> bool:
        """False."""
        return False


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line. severity: error (the line is refused) or warning (something in it is ignored)."""

    line: int
    kind: str | None
    key: str | None
    severity: str
    message: str

    def __str__(self) -> str:
        place = ".".join(part for part in (self.kind, self.key) if part)
        severity = "warning: " if self.severity == "warning" else ""
        return f"line {self.line}: {severity}{place}{': ' if place else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Line:
    """An accepted line: the facts it holds (a flag line may hold two), or one piece of evidence as facts[0]."""

    number: int
    facts: tuple[Fact, ...]

    @property
    def is_evidence(self) -> bool:
        """Sessions, errors and probes are kept outside the fact log."""
        return self.facts[0].kind in EVIDENCE_KINDS


@dataclass(slots=True)
class Reading:
    """A file that was read: accepted lines in the order of arrival, counts, and problems in the order of lines."""

    lines: list[Line] = field(default_factory=list)
    lines_count: int = 0
    accepted_count: int = 0
    duplicate_count: int = 0
    refused_count: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def facts(self) -> list[Fact]:
        """All facts in the order of arrival."""
        return [fact for line in self.lines if not line.is_evidence for fact in line.facts]

    def evidence(self, kind: str) -> list[Fact]:
        """All evidence of a kind in the order of arrival."""
        return [line.facts[0] for line in self.lines if line.facts[0].kind == kind]

    def traffic_known_by(self, as_of: datetime) -> list[Payload]:
        """The latest count of every interval among those received by the instant."""
        latest: dict[str, Payload] = {}
        for fact in self.evidence("sessions"):
            if fact.received_at is None or fact.received_at <= as_of:
                latest[fact.identity] = fact.payload
        return list(latest.values())


def read_history(lines: Iterable[bytes], log: Log | None = None) -> Reading:
    """Reads a whole file on top of what was read before. A header that states another version refuses every line of it."""
    log = log or EmptyLog()
    reading = Reading()
    parsed: list[Line] = []
    for number, raw in enumerate(lines, start=1):
        if raw.strip():
            reading.lines_count += 1
            line = _parsed(number, raw, reading)
            if line is not None:
                parsed.append(line)
    parsed.sort(key=lambda line: line.facts[0].received_at or FAR_PAST)
    _apply(parsed, reading, log)
    if any(problem.kind == "history" and problem.key == "version" for problem in reading.problems):
        return Reading([], reading.lines_count, 0, 0, reading.lines_count, reading.problems)
    reading.problems += undeclared_services(reading, log)
    reading.problems.sort(key=lambda problem: problem.line)
    return reading


def undeclared_services(reading: Reading, log: Log) -> Iterator[Problem]:
    """A warning for each service that lines name and none declares, at the first line that names it."""
    declared = {fact.identity for fact in reading.facts if fact.kind == "service"}
    for line in sorted(reading.lines, key=lambda line: line.number):
        for fact in line.facts:
            for key, service in named_services(fact.kind, fact.payload):
                if service not in declared and log.record("service", service) is None:
                    declared.add(service)
                    message = f"{_shown(service)} is not declared by a service line, defaults are used"
                    yield Problem(line.number, _printed_kind(fact.kind), key, "warning", message)


class _Refused(Exception):
    """A line that cannot be accepted, with everything that is wrong with it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


def _parsed(number: int, raw: bytes, reading: Reading) -> Line | None:
    """The line with each key checked; None if it was refused or ignored, which is noted."""
    try:
        kind, received_at, payload = _envelope(number, raw, reading)
        if kind not in KINDS or kind == "flag_change":
            reading.accepted_count += 1
            reading.problems.append(Problem(number, kind, None, "warning", "unknown kind, ignored"))
            return None
        return Line(number, _facts(number, kind, payload, received_at, reading))
    except _Refused as refusal:
        reading.refused_count += 1
        reading.problems += refusal.problems
        return None


def _envelope(number: int, raw: bytes, reading: Reading) -> tuple[str, datetime | None, Mapping[str, object]]:
    """(kind, received_at, payload) of a line."""

    def refused(message: str, kind: str | None = None, key: str | None = None) -> _Refused:
        return _Refused(Problem(number, kind, key, "error", message))

    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise refused(_json_complaint(raw, error)) from error
    if not isinstance(value, dict):
        raise refused(f"expected an object, got {_shown(value)}")
    kind, received_at, payload = value.get("kind"), value.get("received_at"), value.get("payload")
    if not isinstance(kind, str):
        raise refused("missing" if kind is None else f"expected a text, got {_shown(kind)}", key="kind")
    if not isinstance(payload, dict):
        raise refused("missing" if payload is None else f"expected an object, got {_shown(payload)}", kind, "payload")
    for key in value.keys() - {"kind", "received_at", "payload"}:
        reading.problems.append(Problem(number, None, str(key), "warning", "unknown key, ignored"))
    try:
        return kind, optional_instant(received_at), payload
    except NotAnInstant as error:
        raise refused(f"{error}, got {_shown(received_at)}", kind, "received_at") from error


def _facts(
    number: int, kind: str, payload: Mapping[str, object], received_at: datetime | None, reading: Reading
) -> tuple[Fact, ...]:
    """The facts of a line; keys that are not in the table are noted. Raises _Refused."""
    parts = _flag_parts(payload) if kind == "flag" else [(kind, payload)]
    known_keys = {key for part, _ in parts for key in KINDS[part].keys}
    for key, value in payload.items():
        unknown = [key] if key not in known_keys else unknown_parts(key, value)
        reading.problems += [Problem(number, kind, path, "warning", "unknown key, ignored") for path in unknown]
    problems: list[Problem] = []
    facts = [_fact(number, part, values, received_at, problems) for part, values in parts]
    if problems:
        raise _Refused(*problems)
    return tuple(facts)


def _flag_parts(payload: Mapping[str, object]) -> list[tuple[str, Mapping[str, object]]]:
    """A flag line describes a flag, or one change of it, or both."""
    is_change = not _CHANGE_ONLY.isdisjoint(payload)
    if not is_change:
        return [("flag", payload)]
    parts: list[tuple[str, Mapping[str, object]]] = [
        ("flag_change", {key: value for key, value in payload.items() if key not in _DESCRIPTION_ONLY})
    ]
    if not _DESCRIPTION_ONLY.isdisjoint(payload):
        description = {key: value for key, value in payload.items() if key not in _CHANGE_ONLY}
        description.pop("delivery_id", None)  # counted once, with the change
        parts.append(("flag", description))
    return parts


def _fact(
    number: int, kind: str, payload: Mapping[str, object], received_at: datetime | None, problems: list[Problem]
) -> Fact:
    """The fact with each key checked; what is wrong is added to the problems."""
    table, shown_kind = KINDS[kind], _printed_kind(kind)
    kept: dict[str, object] = {}
    for key, value in payload.items():
        check = table.keys.get(key)
        if check is None:
            continue
        try:
            kept[key] = None if value is None else check(value)
        except Unexpected as error:
            path = f"{key}.{error.key}" if error.key else key
            message = "missing" if error.got is None else f"expected {error.expected}, got {_shown(error.got)}"
            problems.append(Problem(number, shown_kind, path, "error", message))
    needed = table.required if kind in EVIDENCE_KINDS else table.identity
    problems += [Problem(number, shown_kind, key, "error", "missing") for key in needed if payload.get(key) is None]
    delivery = kept.get("delivery_id")
    identity = _evidence_identity(table, kept) if kind in EVIDENCE_KINDS else identity_of(kind, kept)
    return Fact(kind, identity or "", kept, received_at, None if delivery is None else str(delivery))


def _apply(parsed: Iterable[Line], reading: Reading, log: Log) -> None:
    """Applies lines in the order of arrival; a line that would break its record is refused and the record stays."""
    records: dict[tuple[str, str], Record] = {}
    deliveries: set[tuple[str, str]] = set()
    for line in parsed:
        delivery = next(((f.kind, f.delivery_id) for f in line.facts if f.delivery_id is not None), None)
        is_repeat = line.facts[0].kind in _SENT_ONCE and (line.facts[0].kind, line.facts[0].identity) in records
        if is_repeat or (delivery is not None and delivery in deliveries) or log.holds(line.facts):
            reading.duplicate_count += 1
            continue
        changed: dict[tuple[str, str], Record] = {}
        problems: list[Problem] = []
        for fact in line.facts:
            key = (fact.kind, fact.identity)
            record = {} if line.is_evidence else records.get(key) or log.record(*key) or {}
            changed[key] = grown(fact.kind, record, fact.payload)
            problem = record_problem(fact.kind, changed[key], fact.payload)
            if problem is not None:
                problems.append(Problem(line.number, _printed_kind(fact.kind), problem.key, "error", str(problem)))
        if problems:
            reading.refused_count += 1
            reading.problems += problems
            continue
        if delivery is not None:
            deliveries.add(delivery)
        records.update(changed)
        reading.accepted_count += 1
        reading.lines.append(line)


def _evidence_identity(kind: Kind, payload: Mapping[str, object]) -> str:
    defaults = {"environment": "production"}
    return json.dumps([payload.get(key) or defaults.get(key) for key in kind.identity])


def _printed_kind(kind: str) -> str:
    return "flag" if kind == "flag_change" else kind


def _shown(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 1] + "…"


def _json_complaint(raw: bytes, error: orjson.JSONDecodeError) -> str:
    """The place and the expectation in plain words; the strict parser's own words where the usual one is content."""
    try:
        json.loads(raw.decode("utf-8"))
    except json.JSONDecodeError as usual:
        complaint = usual.msg[:1].lower() + usual.msg[1:]
        complaint = complaint.replace("expecting", "expected").removesuffix(" delimiter")
        return f"not JSON: {complaint} at column {usual.colno}"
    except (UnicodeDecodeError, RecursionError):
        return "not JSON: expected UTF-8"
    return f"not JSON: {error.msg} at column {error.colno}"


def checked_payload(kind: str, payload: Payload) -> Payload:
    """The payload as reading it would keep it; values that would be refused stay as they are."""
    kept: dict[str, object] = {}
    for key, value in payload.items():
        check = KINDS[kind].keys.get(key)
        try:
            kept[key] = value if check is None or value is None else check(value)
        except Unexpected:
            kept[key] = value
    return kept


def line_of(kind: str, payload: Payload, received_at: datetime | None) -> bytes:
    """One line of the format, without line end; keys of the payload in order, whatever the database made of it."""
    line: dict[str, object] = {"kind": kind}
    if received_at is not None:
        line["received_at"] = instant_text(received_at)
    return orjson.dumps({**line, "payload": orjson.Fragment(orjson.dumps(dict(payload), option=orjson.OPT_SORT_KEYS))})
