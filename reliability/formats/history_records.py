"""What must hold of a record as a whole, whichever line said which part."""

from collections.abc import Iterator, Mapping

from deploys.domain.instants import parse_instant
from deploys.domain.records import Payload
from reliability.formats.history_keys import KINDS

_NOT_BEFORE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "service": (("retired_at", "born_at"),),
    "maintenance": (("ends_at", "starts_at"),),
    "monitoring_gap": (("ends_at", "starts_at"),),
}
_NAMING_ONE = ("deploy", "change", "objective", "sessions", "error", "probe")
_NAMING_MANY = ("incident", "maintenance", "monitoring_gap", "flag_change")


class BrokenRecord(ValueError):
    """What a line would do to its record; key is where it shows."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def record_problem(kind: str, record: Payload, line: Payload) -> BrokenRecord | None:
    """The first thing wrong with the record that the line (already applied) leaves behind; None if it is sound."""
    for key in KINDS[kind].required:
        if record.get(key) is None:
            return BrokenRecord(key, "missing")
    for later, earlier in _NOT_BEFORE.get(kind, ()):
        problem = _backwards(record, line, later, earlier)
        if problem is not None:
            return problem
    if kind == "incident":
        return _incident_problem(record, line)
    if kind == "objective":
        return _objective_problem(record)
    if kind == "sessions" and _failed_exceeds_count(record):
        return BrokenRecord("failed", f"expected at most the count {record['count']}, got {record['failed']}")
    return None


def named_services(kind: str, payload: Payload) -> Iterator[tuple[str, str]]:
    """(key, service) of each service that a line names without declaring it."""
    if kind in _NAMING_ONE and payload.get("service") is not None:
        yield "service", str(payload["service"])
    services = payload.get("services")
    if kind in _NAMING_MANY and isinstance(services, list):
        for service in services:
            yield "services", str(service)


def _incident_problem(record: Payload, line: Payload) -> BrokenRecord | None:
    start = "started_at" if record.get("started_at") is not None else "detected_at"
    if record.get(start) is None:
        return BrokenRecord("started_at", "missing")
    return _backwards(record, line, "restored_at", start)


def _objective_problem(record: Payload) -> BrokenRecord | None:
    stated = [key for key in ("window_days", "calendar") if record.get(key) is not None]
    if not stated:
        return BrokenRecord("window_days", "missing (or state calendar)")
    if len(stated) > 1:
        return BrokenRecord("calendar", "expected one of window_days and calendar, got both")
    return None


def _backwards(record: Payload, line: Payload, later: str, earlier: str) -> BrokenRecord | None:
    end, start = record.get(later), record.get(earlier)
    if end is None or start is None or parse_instant(end) >= parse_instant(start):
        return None
    if later in line:
        return BrokenRecord(later, f'expected a time not before {earlier} {start}, got "{end}"')
    return BrokenRecord(earlier, f'expected a time not after {later} {end}, got "{start}"')


def _failed_exceeds_count(record: Payload) -> bool:
    failed, count = record.get("failed"), record.get("count")
    return isinstance(failed, int) and isinstance(count, int) and failed > count
