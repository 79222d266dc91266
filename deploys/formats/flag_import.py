"""What an import of flags gives: flags that can be carried over exactly, and why the others cannot.

A rule that would be carried over nearly is not carried over: who imports must not learn from their users that a percentage
or a condition meant something else there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploys.domain.flag_rules import FlagKind, ValueType

Json = Mapping[str, Any]  # Any: JSON from outside


class NotCarried(ValueError):
    """This flag cannot be imported as it is; the argument says what of it."""


@dataclass(frozen=True, slots=True)
class ImportedFlag:
    """One flag with its rules for one environment."""

    key: str
    value_type: ValueType
    variants: list[dict[str, Any]]
    off: str
    document: dict[str, Any]
    kind: FlagKind = FlagKind.RELEASE
    description: str = ""


@dataclass(slots=True)
class Import:
    """What a file holds. `left_out` says by key why a flag stays where it is."""

    flags: list[ImportedFlag] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def type_of(values: list[Any]) -> ValueType:  # Any: JSON
    """The one type that all values are. NotCarried where they are several."""
    kinds = {_type(value) for value in values}
    if kinds == {ValueType.INTEGER, ValueType.FLOAT}:
        return ValueType.FLOAT
    if len(kinds) != 1:
        raise NotCarried("its values are of several types, or there are none")
    return kinds.pop()


def _type(value: object) -> ValueType:
    if isinstance(value, bool):
        return ValueType.BOOLEAN
    for kind, ours in ((int, ValueType.INTEGER), (float, ValueType.FLOAT), (str, ValueType.STRING)):
        if isinstance(value, kind):
            return ours
    if isinstance(value, Mapping | list):
        return ValueType.OBJECT
    raise NotCarried("a value is null")
