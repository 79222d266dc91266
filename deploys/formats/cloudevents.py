"""CloudEvents over HTTP (binding 1.0.2): binary, structured and batched messages become one kind of object."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import orjson

from deploys.formats.reading import any_json, line, part
from deploys.formats.webhook import Inbound, Json, UnexpectedPayload, UnreadableBody

MOST: int = 1000


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event. `data` is an object, empty where there is none; `problem` says why an event of a batch is unreadable."""

    id: str
    source: str
    type: str
    time: object
    data: Json
    problem: str = ""


def events_of(inbound: Inbound) -> tuple[list[CloudEvent], bool]:
    """The events of a request, and whether it was a batch. UnreadableBody or UnexpectedPayload for the others.

    Data sent bare, without any envelope, has `context` itself, which CDEvents repeat: taken too.
    """
    media_type = inbound.header("Content-Type").split(";", maxsplit=1)[0].strip().lower()
    if media_type == "application/cloudevents-batch+json":
        return _batch(any_json(inbound.body)), True
    if media_type == "application/cloudevents+json":
        return [_structured(any_json(inbound.body))], False
    if inbound.header("ce-type"):
        return [_binary(inbound)], False
    return [_bare(any_json(inbound.body))], False


def _batch(value: object) -> list[CloudEvent]:
    if not isinstance(value, list):
        raise UnreadableBody("expected a JSON array")
    if len(value) > MOST:
        raise UnexpectedPayload(f"expected at most {MOST} events in one batch")
    found = []
    for place, each in enumerate(value):
        try:
            found.append(_structured(each))
        except (UnexpectedPayload, UnreadableBody) as error:
            found.append(CloudEvent("", "", "", None, {}, problem=f"{place}: {error}"))
    return found


def _structured(value: object) -> CloudEvent:
    if not isinstance(value, Mapping):
        raise UnreadableBody("expected a JSON object")
    return _event(value, _data(value))


def _binary(inbound: Inbound) -> CloudEvent:
    attributes = {name[3:]: _header_value(value) for name, value in inbound.headers.items() if name.startswith("ce-")}
    return _event(attributes, part(any_json(inbound.body)))


def _bare(value: object) -> CloudEvent:
    context = part(value, "context")
    if not context:
        raise UnexpectedPayload("expected a CloudEvent: ce-* headers, or the type application/cloudevents+json")
    said = {**context, "time": context.get("timestamp"), "specversion": "1.0"}
    return _event(said, part(value))


def _event(attributes: Json, data: Json) -> CloudEvent:
    names = [line(attributes.get(key), 300) for key in ("id", "source", "type", "specversion")]
    if None in names:
        raise UnexpectedPayload("expected id, source, type and specversion")
    if names[3] != "1.0":
        raise UnexpectedPayload(f"specversion: expected 1.0, got {names[3]}")
    return CloudEvent(names[0] or "", names[1] or "", names[2] or "", attributes.get("time"), data)


def _data(value: Json) -> Json:
    """`data`, as an object or as JSON text, or `data_base64`."""
    data, encoded = value.get("data"), value.get("data_base64")
    if isinstance(encoded, str):
        try:
            return part(orjson.loads(base64.b64decode(encoded, validate=True)))
        except (binascii.Error, ValueError) as error:
            raise UnexpectedPayload("data_base64: expected JSON in base64") from error
    if isinstance(data, str):
        try:
            return part(orjson.loads(data))
        except ValueError as error:
            raise UnexpectedPayload("data: expected JSON") from error
    return part(data)


def _header_value(value: str) -> str:
    """Quotes taken off, backslashes undone, percent-decoded once (HTTP binding, section 3.1.3.2)."""
    value = value.strip()
    if len(value) >= 2 and value.startswith('"') and value.endswith('"'):
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return unquote(value, errors="replace")
