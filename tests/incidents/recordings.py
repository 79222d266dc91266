"""Requests recorded from real clients, as the shared folder keeps them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("sentry-envelopes", "sentry-legacy-store")


@dataclass(frozen=True)
class Request:
    """`body` is decoded; `wire` is what the client sent, still in its content coding."""

    name: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    chunked: bool
    body: bytes
    wire: bytes


def read(path: Path) -> list[Request]:
    """All requests of one recording."""
    found = []
    for number, entry in enumerate(json.loads(path.read_text(encoding="utf-8"))["requests"]):
        body = base64.b64decode(entry["body_b64"]) if "body_b64" in entry else entry["body"].encode()
        wire = base64.b64decode(entry["wire_body_b64"]) if "wire_body_b64" in entry else body
        headers = tuple((name, value) for name, value in entry["headers"])
        name = f"{path.parent.name}/{path.stem}/{number}"
        found.append(Request(name, entry["method"], entry["path"], headers, entry["chunked"], body, wire))
    return found


def every(shared: Path) -> Iterator[Request]:
    """All requests of all recorded clients of the Sentry protocol."""
    for folder in FOLDERS:
        for path in sorted((shared / "fixtures" / folder).glob("*.json")):
            if path.name != "edge-cases.json":
                yield from read(path)
