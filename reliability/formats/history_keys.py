"""The table of the history format: which keys a kind has, what values they take, which the first line needs.

A check takes a value that came from JSON and gives the value as it is kept: times as RFC 3339 in UTC, identifiers as
text. It raises Unexpected, whose text says what was expected.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from deploys.domain.instants import NotAnInstant, instant_text, parse_instant
from deploys.domain.records import REQUIRED

Check: TypeAlias = Callable[[object], object]

LONGEST_NAME = 200
VERSION = 1


class Unexpected(ValueError):
    """Raised by a check; the text is what was expected. key names the part of an object, if it is not the whole."""

    def __init__(self, expected: str, got: object = None, key: str = "") -> None:
        super().__init__(expected)
        self.expected, self.got, self.key = expected, got, key


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of line: its keys, those the first line of a record needs, and those that identify the record."""

    keys: Mapping[str, Check]
    required: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()


def text(value: object) -> object:
    """Any text."""
    if not isinstance(value, str):
        raise Unexpected("a text", value)
    return value


def name(value: object) -> object:
    """Text of 1 to 200 characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        raise Unexpected(f"a text of 1 to {LONGEST_NAME} characters", value)
    return value


def identifier(value: object) -> object:
    """A name; a whole number is taken as its digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else name(value)


def instant(value: object) -> object:
    """A time that does not have to be guessed."""
    try:
        return instant_text(parse_instant(value))
    except NotAnInstant as error:
        raise Unexpected("a time with offset", value) from error


def boolean(value: object) -> object:
    """true or false."""
    if not isinstance(value, bool):
        raise Unexpected("true or false", value)
    return value


def number(low: float = 0, high: float = math.inf, *, is_whole: bool = False, above_low: bool = False) -> Check:
    """A number from low (or above it) to high."""
    noun = "a whole number" if is_whole else "a number"
    start = f"above {low:g}" if above_low else f"from {low:g}"
    expected = f"{noun} {start}" + ("" if math.isinf(high) else f" to {high:g}")

    def check(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Unexpected(expected, value)
        is_inside = (low < value if above_low else low <= value) and value <= high
        if not is_inside or (is_whole and value != int(value)):
            raise Unexpected(expected, value)
        return int(value) if is_whole else value

    return check


def one_of(*choices: object) -> Check:
    """One of these values."""
    expected = "one of " + ", ".join(map(str, choices))

    def check(value: object) -> object:
        if isinstance(value, bool) or value not in choices:
            raise Unexpected(expected, value)
        return value

    return check


def list_of(check: Check, *, is_empty_fine: bool = True) -> Check:
    """A list whose members all pass."""

    def checked(value: object) -> object:
        if not isinstance(value, list):
            raise Unexpected("a list", value)
        if not value and not is_empty_fine:
            raise Unexpected("a list that is not empty", value)
        return [check(item) for item in value]

    return checked


def an_object(value: object) -> object:
    """Any JSON object."""
    if not isinstance(value, dict):
        raise Unexpected("an object", value)
    return value


def object_of(keys: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    """An object; unknown keys in it are dropped, null counts as absent."""

    def check(value: object) -> object:
        if not isinstance(value, dict):
            raise Unexpected("an object", value)
        kept: dict[str, object] = {}
        for key, part in value.items():
            if key not in keys or part is None:
                continue
            try:
                kept[key] = keys[key](part)
            except Unexpected as error:
                path = f"{key}.{error.key}" if error.key else key
                raise Unexpected(error.expected, error.got, path) from error
        for key in required:
            if key not in kept:
                raise Unexpected("a value", None, key)
        return kept

    return check


def cause(value: object) -> object:
    """A cause link; deploys and flag changes are named by their id."""
    kept = _CAUSE(value)
    if isinstance(kept, dict) and kept["kind"] in {"deploy", "flag"} and "id" not in kept:
        raise Unexpected("the id of the change", None, "id")
    return kept


def spell(value: object) -> object:
    """A spell of impact; it does not end before it begins."""
    kept = _SPELL(value)
    if isinstance(kept, dict) and "to_at" in kept and parse_instant(kept["to_at"]) < parse_instant(kept["from_at"]):
        raise Unexpected("a time not before from_at", kept["to_at"], "to_at")
    return kept


RATIO = number(0, 1)
IMPACT_CLASS = one_of("downtime", "multi_user", "single_user", "impactless")
_PARTS: Mapping[str, Mapping[str, Check]] = MappingProxyType(
    {
        "causes": {
            "kind": one_of("deploy", "flag", "external", "infrastructure", "capacity", "unknown"),
            "id": identifier,
            "weight": number(0, 1, above_low=True),
            "status": one_of("confirmed", "suggested", "rejected"),
            "by": one_of("person", "model"),
            "probability": RATIO,
        },
        "impact": {"from_at": instant, "to_at": instant, "degradation": RATIO},
        "remedies": {"kind": one_of("deploy", "flag"), "id": identifier},
        "policy": {
            "environment": name,
            "failure_classes": list_of(IMPACT_CLASS),
            "deploy_timeout_seconds": number(),
            "pending_seconds": number(),
            "maintenance_notice_seconds": number(),
            "stale_after_seconds": number(),
        },
        "frames": {"file": text, "function": text, "line": number(is_whole=True), "in_app": boolean},
    }
)
_CAUSE = object_of(_PARTS["causes"], ("kind",))
_SPELL = object_of(_PARTS["impact"], ("from_at",))
_REMEDY = object_of(_PARTS["remedies"], ("kind", "id"))
_POLICY = object_of(_PARTS["policy"])
_FRAME = object_of(_PARTS["frames"])


def unknown_parts(key: str, value: object) -> list[str]:
    """Names inside the objects of a key that the format does not know; they are dropped."""
    if key not in _PARTS:
        return []
    objects = value if isinstance(value, list) else [value]
    found = (part for item in objects if isinstance(item, dict) for part in item if part not in _PARTS[key])
    return [f"{key}.{part}" for part in dict.fromkeys(found)]


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "history": Kind({"version": one_of(VERSION), "made_by": text, "policy": _POLICY}),
        "service": Kind(
            {
                "service": name,
                "born_at": instant,
                "retired_at": instant,
                "critical": boolean,
                "users": number(),
                "depends_on": list_of(name),
                "probed": boolean,
                "hosts": list_of(text),
            },
            REQUIRED["service"],
            ("service",),
        ),
        "deploy": Kind(
            {
                "id": identifier,
                "service": name,
                "environment": name,
                "status": one_of("in_progress", "success", "failure"),
                "started_at": instant,
                "finished_at": instant,
                "live_at": instant,
                "release": identifier,
                "artifact": identifier,
                "kind": one_of("forward", "rollback", "redeploy", "hotfix"),
                "strategy": text,
                "percent": number(0, 100),
                "commit": identifier,
                "files": list_of(text),
                "description": text,
                "delivery_id": identifier,
            },
            REQUIRED["deploy"],
            ("id",),
        ),
        "change": Kind(
            {
                "sha": identifier,
                "committed_at": instant,
                "deploys": list_of(identifier),
                "service": name,
                "author": text,
                "title": text,
            },
            REQUIRED["change"],
            ("sha",),
        ),
        "flag": Kind(
            {
                "key": name,
                "environment": name,
                "created_at": instant,
                "owner": text,
                "kind": one_of("temporary", "permanent"),
                "expires_at": instant,
                "last_evaluated_at": instant,
                "code_references": number(is_whole=True),
                "archived_at": instant,
                "delivery_id": identifier,
            },
            REQUIRED["flag"],
            ("key",),
        ),
        "flag_change": Kind(
            {
                "id": identifier,
                "key": name,
                "environment": name,
                "at": instant,
                "new_percent": number(0, 100),
                "old_percent": number(0, 100),
                "segment": an_object,
                "services": list_of(name),
                "delivery_id": identifier,
            },
            REQUIRED["flag_change"],
            ("id",),
        ),
        "incident": Kind(
            {
                "id": identifier,
                "services": list_of(name, is_empty_fine=False),
                "class": IMPACT_CLASS,
                "environment": name,
                "started_at": instant,
                "detected_at": instant,
                "acknowledged_at": instant,
                "mitigated_at": instant,
                "restored_at": instant,
                "degradation": RATIO,
                "impact": list_of(spell),
                "causes": list_of(cause),
                "remedies": list_of(_REMEDY),
                "dismissed": boolean,
                "duplicate_of": identifier,
                "detected_by": text,
                "title": text,
            },
            REQUIRED["incident"],
            ("id",),
        ),
        "maintenance": Kind(
            {
                "id": identifier,
                "starts_at": instant,
                "ends_at": instant,
                "announced_at": instant,
                "services": list_of(name),
                "excused_by": text,
                "cancelled": boolean,
                "title": text,
                "environment": name,
            },
            REQUIRED["maintenance"],
            ("id",),
        ),
        "monitoring_gap": Kind(
            {"id": identifier, "starts_at": instant, "ends_at": instant, "services": list_of(name), "reason": text},
            REQUIRED["monitoring_gap"],
            ("id",),
        ),
        "objective": Kind(
            {
                "id": identifier,
                "service": name,
                "sli": one_of("time", "requests"),
                "target": number(0, 1, above_low=True),
                "window_days": one_of(7, 28, 30, 90),
                "calendar": one_of("week", "month", "quarter"),
                "min_requests": number(is_whole=True),
            },
            REQUIRED["objective"],
            ("id",),
        ),
        "sessions": Kind(
            {
                "service": name,
                "environment": name,
                "at": instant,
                "seconds": number(),
                "count": number(is_whole=True),
                "release": identifier,
                "failed": number(is_whole=True),
            },
            ("service", "environment", "at", "seconds", "count"),
            ("service", "environment", "release", "at"),
        ),
        "error": Kind(
            {
                "event_id": identifier,
                "timestamp": instant,
                "service": name,
                "environment": name,
                "release": identifier,
                "type": text,
                "message": text,
                "frames": list_of(_FRAME),
                "user": text,
                "host": text,
                "tags": an_object,
                "flags": an_object,
            },
            ("event_id", "timestamp", "service"),
            ("service", "event_id"),
        ),
        "probe": Kind(
            {
                "service": name,
                "environment": name,
                "at": instant,
                "ok": boolean,
                "status": number(is_whole=True),
                "latency_ms": number(),
            },
            ("service", "at", "ok"),
            ("service", "environment", "at"),
        ),
    }
)
FACT_KINDS = tuple(kind for kind in KINDS if kind not in {"sessions", "error", "probe"})
EVIDENCE_KINDS = ("sessions", "error", "probe")
