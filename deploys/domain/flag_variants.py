"""What a flag may answer: its key, the type of its values, and its named variants."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from deploys.domain.flag_documents import InvalidRules
from deploys.domain.flag_rules import DAYS, LASTING, STAGES, FlagKind, Stage, Value, ValueType

#: What clients can put into an address as it is: some escape nothing.
_KEY: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
MOST_VARIANTS: Final = 50
BOOLEAN: Final = [{"name": "on", "value": True}, {"name": "off", "value": False}]
MIGRATION: Final = [{"name": str(stage), "value": str(stage)} for stage in STAGES]


def is_key(text: str) -> bool:
    """Whether it may name a flag. `.` and `..` may not: they mean something else in an address."""
    return bool(_KEY.fullmatch(text)) and text.strip(".") != ""


def variants_of(value_type: ValueType, said: object) -> dict[str, Value]:
    """Checked variants by name, in the order given, from a list of {name, value}. InvalidRules names what is wrong.

    Floats become floats: a client that asks for one takes 1.0 and refuses 1.
    """
    if not isinstance(said, list) or not 1 < len(said) <= MOST_VARIANTS:
        raise InvalidRules("/variants", f"expected a list of 2 to {MOST_VARIANTS} variants")
    found: dict[str, Value] = {}
    for place, each in enumerate(said):
        path = f"/variants/{place}"
        if not isinstance(each, Mapping) or not is_key(str(each.get("name"))):
            raise InvalidRules(f"{path}/name", "expected letters, digits, dots, dashes and underscores")
        if each["name"] in found:
            raise InvalidRules(f"{path}/name", "stands there twice")
        found[each["name"]] = _typed(value_type, each.get("value"), f"{path}/value")
    return found


def variants_document(variants: Mapping[str, Value]) -> list[dict[str, Any]]:  # Any: JSON
    """The variants as JSON."""
    return [{"name": name, "value": value} for name, value in variants.items()]


def stages_ok(kind: FlagKind, value_type: ValueType, variants: Sequence[str]) -> bool:
    """A migration is a text with the four stages and nothing else; every other kind is free."""
    if kind is not FlagKind.MIGRATION:
        return True
    return value_type is ValueType.STRING and list(variants) == [str(stage) for stage in Stage]


def due_at(kind: FlagKind, created_at: datetime) -> datetime | None:
    """When a flag of this kind is due, unless somebody says otherwise; None for a migration, which nobody can plan."""
    return None if kind is FlagKind.MIGRATION else created_at + timedelta(days=DAYS[kind])


def is_lasting(kind: FlagKind) -> bool:
    """Whether it is meant to stay, and is reviewed instead of removed."""
    return kind in LASTING


def _typed(value_type: ValueType, value: object, path: str) -> Value:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match value_type:
        case ValueType.BOOLEAN if isinstance(value, bool):
            return value
        case ValueType.STRING if isinstance(value, str) and len(value) <= 20_000:
            return value
        case ValueType.INTEGER if is_number and isinstance(value, int) and abs(value) < 2**53:
            return value
        case ValueType.FLOAT if is_number and math.isfinite(number := float(str(value)[:400])):
            return number
        case ValueType.OBJECT if isinstance(value, Mapping | list):
            return value
    raise InvalidRules(path, f"expected a value of the type {value_type}")
