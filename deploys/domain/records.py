"""How the facts of one record add up: later lines override key by key (HISTORY_FORMAT "Records grow")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

FINAL_STATUSES = frozenset({"success", "failure"})


def fold(kind: str, payloads: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The record that these facts of one identity make, given in the order they were learned.

    Lists are replaced whole, except `change.deploys`, which is a union in order of arrival. `null` withdraws a value and
    is kept as None. A deploy that has ended stays ended: a later `in_progress` fact changes no key but those not yet known.
    """
    record: dict[str, Any] = {}
    for payload in payloads:
        if (
            kind == "deploy"
            and record.get("status") in FINAL_STATUSES
            and payload.get("status", "in_progress") == "in_progress"
            and "status" in payload
        ):
            for key, value in payload.items():
                record.setdefault(key, value)
            continue
        for key, value in payload.items():
            if kind == "change" and key == "deploys" and value is not None:
                known = record.get("deploys") or []
                record["deploys"] = [*known, *(each for each in value if each not in known)]
            else:
                record[key] = value
    return record
