"""One attribute of a context against a list of values. No pattern language and no scripting: nothing here can run long."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

Context: TypeAlias = Mapping[str, object]
"""OpenFeature's evaluation context: attributes of whoever is asked for; `targetingKey` names them."""
Scalar: TypeAlias = str | int | float | bool

_SEMVER: Final = re.compile(
    r"v?(0|[1-9]\d{0,17})(?:\.(0|[1-9]\d{0,17}))?(?:\.(0|[1-9]\d{0,17}))?(?:-([0-9A-Za-z.-]{1,200}))?(?:\+[0-9A-Za-z.-]{0,200})?"
)


class Operator(StrEnum):
    """How the attribute is compared. With several values one of them must fit."""

    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    LESS = "lt"
    AT_MOST = "le"
    GREATER = "gt"
    AT_LEAST = "ge"
    VERSION_IS = "semver_eq"
    VERSION_BELOW = "semver_lt"
    VERSION_FROM = "semver_ge"
    EXISTS = "exists"


TEXT: Final = frozenset({Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH})
NUMBERS: Final = frozenset({Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST})
VERSIONS: Final = frozenset({Operator.VERSION_IS, Operator.VERSION_BELOW, Operator.VERSION_FROM})


@dataclass(frozen=True, slots=True)
class Condition:
    """`attribute operator values`. `is_negated` turns the answer round, also the "no" of an attribute that is missing.

    A value that cannot be compared (a text where a number is asked for) is a "no", never an error: contexts come from
    the devices of users.
    """

    attribute: str
    operator: Operator
    values: tuple[Scalar, ...] = ()
    is_negated: bool = False
    _known: frozenset[tuple[str, object]] = field(init=False, repr=False, compare=False, default=frozenset())

    def __post_init__(self) -> None:
        """Prepares the look-up of `in`."""
        object.__setattr__(self, "_known", frozenset(_typed(value) for value in self.values))

    def holds(self, context: Context) -> bool:
        """Whether the context fulfils it."""
        return self._fits(attribute_of(context, self.attribute)) is not self.is_negated

    def _fits(self, given: object) -> bool:
        if given is None:
            return False
        if self.operator is Operator.EXISTS:
            return True
        candidates = given if isinstance(given, list | tuple) else (given,)
        return any(self._fits_one(each) for each in candidates)

    def _fits_one(self, given: object) -> bool:
        if self.operator is Operator.IN:
            return isinstance(given, str | int | float) and _typed(given) in self._known
        if self.operator in TEXT:
            return isinstance(given, str) and any(
                _TEXT[self.operator](given, value) for value in self.values if isinstance(value, str)
            )
        if self.operator in NUMBERS:
            number = _number(given)
            return number is not None and any(
                _ORDER[self.operator](number, other) for value in self.values if (other := _number(value)) is not None
            )
        version = semver_key(given)
        return version is not None and any(
            _ORDER[self.operator](version, bound) for value in self.values if (bound := semver_key(value)) is not None
        )


_TEXT: Final[Mapping[Operator, Callable[[str, str], bool]]] = {
    Operator.CONTAINS: lambda given, value: value in given,
    Operator.STARTS_WITH: lambda given, value: given.startswith(value),
    Operator.ENDS_WITH: lambda given, value: given.endswith(value),
}
_ORDER: Final[Mapping[Operator, Callable[..., bool]]] = {
    Operator.LESS: lambda given, value: given < value,
    Operator.AT_MOST: lambda given, value: given <= value,
    Operator.GREATER: lambda given, value: given > value,
    Operator.AT_LEAST: lambda given, value: given >= value,
    Operator.VERSION_IS: lambda given, value: given == value,
    Operator.VERSION_BELOW: lambda given, value: given < value,
    Operator.VERSION_FROM: lambda given, value: given >= value,
}


def attribute_of(context: Context, name: str) -> object:
    """The attribute of this name; else, along the dots, one inside others. None where there is none."""
    if name in context:
        return context[name]
    value: object = context
    for each in name.split("."):
        value = value.get(each) if isinstance(value, Mapping) else None
    return value


def semver_key(value: object) -> tuple[object, ...] | None:
    """A key that sorts as Semantic Versioning 2.0.0, section 11, does; None for what is no such version.

    `v1.2` counts as 1.2.0: users of apps send what they have.
    """
    match = _SEMVER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    numbers = tuple(int(part or 0) for part in match.group(1, 2, 3))
    if match[4] is None:
        return (*numbers, 1, ())
    parts = tuple((0, int(part[:18]), "") if part.isdecimal() else (1, 0, part) for part in match[4].split("."))
    return (*numbers, 0, parts)


def _typed(value: Scalar) -> tuple[str, object]:
    """Booleans are no numbers here, and 1 is 1.0."""
    if isinstance(value, bool):
        return ("boolean", value)
    return ("text", value) if isinstance(value, str) else ("number", value)


def _number(value: object) -> float | None:
    """A number, also one written as text; None for others and for what is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
