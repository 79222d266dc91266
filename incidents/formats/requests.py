"""Served requests as traces tell them: transactions, and the root spans of span items in version 2.

Sources: sentry-docs, develop-docs/sdk/foundations/data-model/event-payloads/transaction and
develop-docs/sdk/telemetry/spans/span-protocol; recorded clients. A span counts where it is the root of its service's part
of the trace and its operation is that of a server: database calls, jobs and page loads are not requests of the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from incidents.formats.sentry_event import ENVIRONMENT, NAME
from incidents.formats.strict_json import clean_text
from incidents.formats.timestamps import parse_timestamp

SPANS_V2 = "application/vnd.sentry.items.span.v2+json"
MAX_SPANS = 2_000
#: Of the statuses that stand for HTTP and gRPC codes, those by which the server says that it failed, not its caller.
FAILED_STATUSES = frozenset(
    {"internal_error", "unavailable", "deadline_exceeded", "data_loss", "unimplemented", "unknown_error", "error"}
)
_Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """One served request. `seconds` is None where the times make no sense; `key` tells copies of one span."""

    key: str
    at: datetime
    seconds: float | None
    failed: bool
    environment: str
    release: str


def parse_transaction(payload: _Json) -> Request | None:
    """The request that a transaction stands for; None where it is none, or has no start."""
    trace = _object(_object(payload.get("contexts")).get("trace"))
    if not _is_served(trace.get("op")):
        return None
    response = _object(_object(payload.get("contexts")).get("response"))
    code = (
        _code(response.get("status_code"))
        or _code(_object(trace.get("data")).get("http.response.status_code"))
        or _code(_object(payload.get("tags")).get("http.status_code"))
    )
    return _request(
        key=(trace.get("trace_id"), trace.get("span_id")),
        times=(payload.get("start_timestamp"), payload.get("timestamp")),
        failed=_failed(code, trace.get("status")),
        environment=payload.get("environment"),
        release=payload.get("release"),
    )


def parse_spans(payload: _Json) -> list[Request]:
    """The requests among the spans of one item."""
    items = payload.get("items")
    spans: Iterable[object] = items[:MAX_SPANS] if isinstance(items, list) else ()
    found = [_span(each) for each in spans if isinstance(each, dict) and each.get("is_segment") is True]
    return [each for each in found if each is not None]


def _span(span: _Json) -> Request | None:
    attributes = _object(span.get("attributes"))

    def told(name: str) -> object:
        return _object(attributes.get(name)).get("value")

    if not (_is_served(told("sentry.op")) or told("sentry.kind") == "server"):
        return None
    return _request(
        key=(span.get("trace_id"), span.get("span_id")),
        times=(span.get("start_timestamp"), span.get("end_timestamp")),
        failed=_failed(_code(told("http.response.status_code")), span.get("status")),
        environment=told("sentry.environment"),
        release=told("sentry.release"),
    )


def _request(
    *, key: tuple[object, object], times: tuple[object, object], failed: bool, environment: object, release: object
) -> Request | None:
    began, ended = parse_timestamp(times[0]), parse_timestamp(times[1])
    if began is None:
        return None
    seconds = (ended - began).total_seconds() if ended is not None and ended >= began else None
    name = "".join(part[:64] for part in key if isinstance(part, str)) if all(key) else ""
    return Request(
        key=name,
        at=began,
        seconds=seconds,
        failed=failed,
        environment=_name(environment)[:ENVIRONMENT] or "production",
        release=_name(release),
    )


def _is_served(operation: object) -> bool:
    """`http.server`, `rpc.server`, `websocket.server` and what is below them."""
    return isinstance(operation, str) and "server" in operation[:NAME].split(".")[:2][1:]


def _failed(code: int, status: object) -> bool:
    """By the HTTP status where there is one: clients set a status of error for 404 too."""
    return code >= 500 if code else status in FAILED_STATUSES if isinstance(status, str) else False


def _code(value: object) -> int:
    """An HTTP status, as a number or as text; 0 for everything else."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599 else 0


def _object(value: object) -> _Json:
    return value if isinstance(value, dict) else {}


def _name(value: object) -> str:
    return clean_text(value[: 2 * NAME]).strip()[:NAME] if isinstance(value, str) else ""
