"""Pings in the manner of Healthchecks (its Pinging API): a request says that a job began, ended well or badly.

`/ping/<id>[/start|/fail|/log|/<0-255>]`; `rid` pairs a start with its end. A backup may tell what it made.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from deploys.domain.instants import NotAnInstant, instant_text, parse_instant
from incidents.domain.jobs import ERROR, IN_PROGRESS, OK

LOG: Final = "log"
MOST_BYTES: Final = 2**60


class NotAPing(ValueError):
    """A request that is none; the message says why."""


@dataclass(frozen=True, slots=True)
class Ping:
    """What is said of a run. `status` LOG says nothing of it; `run_id` is empty where the ping names none."""

    status: str
    run_id: str = ""


def read_ping(what: str, rid: str = "") -> Ping:
    """The ping of the last part of its address. Raises NotAPing."""
    run_id = ""
    if rid:
        try:
            run_id = uuid.UUID(rid).hex
        except ValueError as error:
            raise NotAPing("invalid uuid format") from error
    match what:
        case "":
            return Ping(OK, run_id)
        case "start":
            return Ping(IN_PROGRESS, run_id)
        case "fail":
            return Ping(ERROR, run_id)
        case "log":
            return Ping(LOG, run_id)
    if re.fullmatch(r"[0-9]{1,3}", what) and int(what) <= 255:
        return Ping(OK if int(what) == 0 else ERROR, run_id)
    raise NotAPing("not found")


def read_artifact(told: Mapping[str, Any]) -> dict[str, Any]:  # Any: form values or JSON in, JSON out
    """What a backup tells of what it made, as far as it can be read: bytes, checksum, location, source_changed_at, restored."""
    found: dict[str, Any] = {}  # Any: JSON
    size = told.get("bytes")
    if isinstance(size, str) and re.fullmatch(r"[0-9]{1,19}", size):
        size = int(size)
    if isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= MOST_BYTES:
        found["bytes"] = size
    for key, longest in (("checksum", 200), ("location", 500)):
        value = told.get(key)
        if isinstance(value, str) and value.strip() and value.strip()[:longest].isprintable():
            found[key] = value.strip()[:longest]
    if (changed_at := _instant(told.get("source_changed_at"))) is not None:
        found["source_changed_at"] = instant_text(changed_at)
    restored = told.get("restored")
    if restored in (True, "1", "true", "yes"):
        found["restored"] = True
    elif restored in (False, "0", "false", "no"):
        found["restored"] = False
    return found


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        at = parse_instant(value)
    except NotAnInstant:
        return None
    return at if 1990 <= at.year < 2200 else None
