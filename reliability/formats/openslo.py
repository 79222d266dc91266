"""OpenSLO v1 documents as objectives, and objectives as OpenSLO v1 (github.com/OpenSLO/OpenSLO, README of v1).

Only kind SLO becomes an objective; other kinds are passed over. Its indicator is not read: what is measured here is
downtime (budgeting method Timeslices) or counted requests (Occurrences). What cannot be counted exactly is refused.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

VERSION = "openslo/v1"
LONGEST_TEXT = 1_000_000
WHOLE_MARK = "upshot/whole"
WHOLE_SERVICE = "whole"
METHODS = {"Occurrences": "requests", "Timeslices": "time"}
_SPANS = {"d": 1, "w": 7}
_CALENDARS = {"1w": "week", "1M": "month", "1Q": "quarter", "3M": "quarter"}
_DURATION = re.compile(r"([1-9]\d{0,3})([smhdwMQY])")
_NAME = re.compile(r"[^a-z0-9]+")
Payload = dict[str, Any]  # Any: JSON in the history format's words
Document = Mapping[str, Any]  # Any: YAML


class NotOpenSlo(ValueError):
    """Raised for a text that is no YAML, too long, or full of aliases."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An SLO that is not taken over: its name or place, the key at fault, and what was expected."""

    name: str
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.key}: {self.message}"


class _Refused(ValueError):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class _Loader(yaml.SafeLoader):
    """Without aliases: a few of them can stand for more than any memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:  # Any: as the library has it
        if self.check_event(yaml.events.AliasEvent):
            raise NotOpenSlo("aliases are not taken")
        return super().compose_node(parent, index)


def objectives_of(text: str) -> tuple[list[Payload], list[Refusal]]:
    """Objectives in order, and what was refused. Raises NotOpenSlo."""
    if len(text) > LONGEST_TEXT:
        raise NotOpenSlo("longer than a million characters")
    try:
        loaded = list(yaml.load_all(text, Loader=_Loader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotOpenSlo(str(error).splitlines()[0]) from error
    found: list[Payload] = []
    refused: list[Refusal] = []
    documents = [each for part in loaded if part is not None for each in (part if isinstance(part, list) else [part])]
    for place, document in enumerate(documents, 1):
        name = f"document {place}"
        try:
            if not isinstance(document, dict):
                raise _Refused("", "expected an object")
            if document.get("kind") == "SLO":
                name = _text(_object(document, "metadata"), "name", "metadata.name")
                found += _objectives(document, name)
        except _Refused as error:
            refused.append(Refusal(name, error.key, str(error)))
    return found, refused


def _objectives(document: Document, name: str) -> list[Payload]:
    if document.get("apiVersion") != VERSION:
        raise _Refused("apiVersion", f"expected {VERSION}")
    spec = _object(document, "spec")
    method = spec.get("budgetingMethod")
    if method not in METHODS:
        raise _Refused("spec.budgetingMethod", f"expected {' or '.join(METHODS)}, got {method!r}")
    marks = _object(document, "metadata").get("annotations")
    is_whole = isinstance(marks, dict) and str(marks.get(WHOLE_MARK)).lower() == "true"
    base = {
        "service": None if is_whole else _text(spec, "service", "spec.service"),
        "sli": METHODS[method],
        **_period(spec.get("timeWindow")),
    }
    objectives = spec.get("objectives")
    if not isinstance(objectives, list) or not objectives:
        raise _Refused("spec.objectives", "expected a list that is not empty")
    return [
        {"id": name if place == 1 else f"{name}-{place}", **base, "target": _target(each)}
        for place, each in enumerate(objectives, 1)
    ]


def _period(windows: object) -> Payload:
    if not isinstance(windows, list) or len(windows) != 1 or not isinstance(windows[0], dict):
        raise _Refused("spec.timeWindow", "expected a list of one window")
    window = windows[0]
    duration = str(window.get("duration"))
    if window.get("isRolling") is False:
        if duration not in _CALENDARS:
            raise _Refused("spec.timeWindow[0].duration", "expected 1w, 1M or 1Q of the calendar")
        return {"calendar": _CALENDARS[duration], "window_days": None}
    parsed = _DURATION.fullmatch(duration)
    days = int(parsed[1]) * _SPANS.get(parsed[2], 0) if parsed else 0
    if days not in (7, 28, 30, 90):
        raise _Refused("spec.timeWindow[0].duration", f"expected 7d, 28d, 30d or 90d, got {duration!r}")
    return {"window_days": days, "calendar": None}


def _target(objective: object) -> float:
    if not isinstance(objective, dict):
        raise _Refused("spec.objectives", "expected objects")
    percent = objective.get("targetPercent")
    value = _number(objective.get("target")) if percent is None else _number(percent) / 100
    if not 0 < value <= 1:
        raise _Refused("spec.objectives.target", "expected a number above 0 to 1")
    return round(value, 12)


def _number(value: object) -> float:
    """The number, or one that is no target."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else -1.0


def _object(parent: Document, key: str) -> Document:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise _Refused(key, "expected an object")
    return value


def _text(parent: Document, key: str, path: str) -> str:
    value = parent.get(key)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 200:
        raise _Refused(path, "expected a text of 1 to 200 characters")
    return value


def openslo_text(objectives: Iterable[Payload]) -> str:
    """The documents, one per objective. Names are spelled as OpenSLO wants them; reading them gives the same payloads."""
    documents = [_document(each) for each in objectives]
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, explicit_start=True) if documents else ""


def _document(objective: Payload) -> Payload:
    is_time, calendar = objective["sli"] == "time", objective.get("calendar")
    window = {week: duration for duration, week in reversed(_CALENDARS.items())}
    service = objective.get("service")
    metadata: Payload = {"name": objective["id"]}
    if service is None:
        metadata["annotations"] = {WHOLE_MARK: "true"}
    name = _NAME.sub("-", str(objective["id"]).lower()).strip("-") or "objective"
    measures = "time up" if is_time else "requests"
    spec: Payload = {
        "service": WHOLE_SERVICE if service is None else service,
        "indicator": {"metadata": {"name": f"{name}-sli"}, "spec": {"ratioMetric": {"counter": True, "good": _source(measures), "total": _source(measures)}}},
        "timeWindow": [{"duration": f"{objective['window_days']}d", "isRolling": True} if calendar is None else {"duration": window[calendar], "isRolling": False, "calendar": {"startTime": "2024-01-01 00:00:00", "timeZone": "UTC"}}],
        "budgetingMethod": "Timeslices" if is_time else "Occurrences",
        "objectives": [{"target": objective["target"], **({"timeSliceTarget": 1.0, "timeSliceWindow": "1m"} if is_time else {})}],
    }  # fmt: skip
    return {"apiVersion": VERSION, "kind": "SLO", "metadata": metadata, "spec": spec}


def _source(measures: str) -> Payload:
    """Made anew for each place: the same object twice would be written as an alias."""
    return {"metricSource": {"type": "upshot", "spec": {"measures": measures}}}
