"""The shared folder's worked histories, and how a printed report is compared with what a case expects."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from pathlib import Path

MISSING = object()
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


@dataclass(frozen=True)
class WorkedCase:
    """One history, one question about it, and what the answer must say."""

    name: str
    raw: bytes
    from_text: str
    to_text: str
    zone: str
    as_of_text: str
    expect: dict[str, object]


def worked_case(path: Path) -> WorkedCase:
    """Reads a case file."""
    case = json.loads(path.read_text(encoding="utf-8"))
    if "history_file" in case:
        raw = (path.parent / case["history_file"]).read_bytes()
    else:
        lines = [line if isinstance(line, str) else json.dumps(line) for line in case["history"]]
        raw = "\n".join(lines).encode()
    window = case["window"]
    return WorkedCase(case["name"], raw, window["from"], window["to"], case["zone"], case["as_of"], case["expect"])


def differences(expect: dict[str, object], printed: object) -> dict[str, object]:
    """What was printed, by path, wherever it is not what was expected: numbers to 1e-6, times to a millisecond."""
    found = {path: _lookup(printed, path) for path in expect}
    return {path: found[path] for path, want in expect.items() if not _agrees(want, found[path])}


def _lookup(tree: object, path: str) -> object:
    for part in path.split("."):
        if isinstance(tree, dict) and part in tree:
            tree = tree[part]
        elif isinstance(tree, list) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            return MISSING
    return tree


def _agrees(want: object, got: object) -> bool:
    if isinstance(want, dict) and set(want) == {"value", "within"}:
        return isinstance(got, int | float) and abs(got - want["value"]) <= want["within"]
    if isinstance(want, bool) or want is None:
        return got is want
    if isinstance(want, int | float):
        return isinstance(got, int | float) and abs(got - want) <= 1e-6 + 1e-9 * abs(want)
    if isinstance(want, list):
        return isinstance(got, list) and len(want) == len(got) and all(map(_agrees, want, got))
    if isinstance(want, str) and isinstance(got, str) and TIME.match(want):
        return abs((dt.datetime.fromisoformat(want) - dt.datetime.fromisoformat(got)).total_seconds()) <= 1e-3
    return want == got
