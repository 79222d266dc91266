"""Registered flags, as the actions make them."""

from __future__ import annotations

from typing import Any

from deploys.actions.flag_registry import create_flag
from deploys.actions.flag_switches import change_flag
from deploys.domain.flag_rules import FlagKind, ValueType
from deploys.domain.flag_variants import BOOLEAN
from deploys.models import Environment, FlagRevision, RegisteredFlag, Team
from tests.conftest import NOON

ON = {"on": True, "default": {"variant": "on"}}


def registered(team: Team, key: str = "new-cart", **more: Any) -> RegisteredFlag:  # Any: arguments of the action
    """A boolean release flag, off everywhere."""
    said = {
        "kind": FlagKind.RELEASE, "value_type": ValueType.BOOLEAN, "variants": BOOLEAN, "off_variant": "off", "now": NOON,
    }  # fmt: skip
    return create_flag(team=team, key=key, **{**said, **more})


def percent(share: float, **more: Any) -> dict[str, Any]:  # Any: JSON
    """Rules that roll a boolean flag out to so many per cent."""
    return {"on": True, "default": {"variant": "on", "percent": share, "rest": "off"}, **more}


def served_by(
    flag: RegisteredFlag, environment: Environment, document: object, **more: Any
) -> FlagRevision | None:  # Any: as above
    """The flag with these rules."""
    said = {"version": None, "reason": "", "now": NOON, "by": None}
    return change_flag(flag=flag, environment=environment, document=document, **{**said, **more})
