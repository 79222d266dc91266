"""Sets the flags of expected/ofrep.json up: in this process, or in an instance by `manage.py shell`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploys.actions.flag_keys import make_key
from deploys.actions.flag_registry import create_flag
from deploys.actions.flag_segments import save_segment
from deploys.actions.flag_switches import change_flag
from deploys.domain.flag_rules import FlagKind, ValueType
from deploys.domain.flag_variants import BOOLEAN
from deploys.models import Environment, RegisteredFlag

BOOK = Path(__file__).parent / "expected" / "ofrep.json"


def book() -> dict[str, Any]:
    """What was written down beforehand."""
    said: dict[str, Any] = json.loads(BOOK.read_text(encoding="utf-8"))
    return said


def set_up(environment: Environment, now: dt.datetime) -> dict[str, str]:
    """All flags of the book in this environment; the secrets of a server's and a browser's key."""
    said = book()
    for key, segment in said["segments"].items():
        save_segment(team=environment.team, key=key, said=segment, now=now, by=None)
    for flag in said["flags"]:
        register(environment, flag, now)
    return {
        kind: make_key(environment=environment, kind=kind, application="shop", now=now)[1]
        for kind in ("server", "browser")
    }


def register(environment: Environment, said: Mapping[str, Any], now: dt.datetime) -> RegisteredFlag:
    """One flag of the book."""
    flag = create_flag(
        team=environment.team, key=said["key"], kind=FlagKind(said.get("kind", "release")), now=now,
        value_type=ValueType(said.get("type", "boolean")), variants=said.get("variants", BOOLEAN),
        off_variant=said.get("off", "off"), salt=said.get("salt", ""),
    )  # fmt: skip
    change_flag(flag=flag, environment=environment, document=said["rules"], version=None, reason="", now=now, by=None)
    return flag
