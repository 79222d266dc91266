"""What a flag serves in one environment: the shapes, and what each means at an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from deploys.domain.bucketing import WHOLE
from deploys.domain.flag_conditions import Condition, Context, attribute_of

Value: TypeAlias = Any
"""JSON: a boolean, a text, a whole number, a float, an object or a list."""


class ValueType(StrEnum):
    """What all variants of a flag are. Clients check it: 1 is no answer to who asked for a float."""

    BOOLEAN = "boolean"
    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    OBJECT = "object"


class FlagKind(StrEnum):
    """Why the flag exists, which says how long it may live."""

    RELEASE = "release"
    EXPERIMENT = "experiment"
    MIGRATION = "migration"
    OPS = "ops"
    PERMISSION = "permission"
    KILL_SWITCH = "kill_switch"


#: Days until a flag of this kind is due: for removal, or for review where it is meant to stay. A migration is due only
#: once it has been cut over.
DAYS: Final[Mapping[FlagKind, int]] = {
    FlagKind.RELEASE: 45,
    FlagKind.EXPERIMENT: 45,
    FlagKind.MIGRATION: 30,
    FlagKind.OPS: 180,
    FlagKind.PERMISSION: 365,
    FlagKind.KILL_SWITCH: 365,
}
#: Kinds that are meant to stay: they are reviewed, not removed.
LASTING: Final = frozenset({FlagKind.OPS, FlagKind.PERMISSION, FlagKind.KILL_SWITCH})


class Stage(StrEnum):
    """How far a move from an old to a new way of doing a thing has come; the variants of a migration flag, in order."""

    OFF = "off"
    SHADOW = "shadow"
    """The old way serves; the new one runs beside it and is compared."""
    FALLBACK = "new_with_fallback"
    """The new way serves; where it fails, the old one does. Each fall-back is counted."""
    COMPLETE = "new_only"


STAGES: Final = tuple(Stage)


@dataclass(frozen=True, slots=True)
class Serve:
    """Which variant a unit gets.

    `percent` of the units (in thousandths of a per cent) get one of `split`, a list of (variant, weight) whose weights
    sum to WHOLE; the others get `rest`. Who is inside and which of the split they get are drawn independently, so
    raising the percentage adds users and moves nobody. `by`: the attribute that is drawn by; None is the targeting key.
    """

    split: tuple[tuple[str, int], ...]
    percent: int = WHOLE
    rest: str | None = None
    by: str | None = None

    @property
    def variants(self) -> tuple[str, ...]:
        """Those that somebody may get, each once."""
        inside = [name for name, weight in self.split if weight] if self.percent else []
        outside = [self.rest] if self.rest is not None and self.percent < WHOLE else []
        return tuple(dict.fromkeys([*inside, *outside]))


def always(variant: str) -> Serve:
    """Everybody gets this one."""
    return Serve(((variant, WHOLE),))


@dataclass(frozen=True, slots=True)
class Segment:
    """Users named once and used by many rules: those included, and those who fulfil every condition; nobody excluded."""

    key: str
    conditions: tuple[Condition, ...] = ()
    included: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    def holds(self, context: Context) -> bool:
        """Whether the context's user is in it. A segment that says nothing holds nobody."""
        unit = unit_of(context)
        if unit is not None and unit in self.excluded:
            return False
        if unit is not None and unit in self.included:
            return True
        return bool(self.conditions) and all(each.holds(context) for each in self.conditions)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is in all of these segments and fulfils all of these conditions is served so. The first rule that fits counts."""

    serve: Serve
    conditions: tuple[Condition, ...] = ()
    segments: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Kill:
    """Switched off in need. It ends by itself at `until` (exclusive), if that is set."""

    reason: str
    by: str = ""
    at: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it is in force."""
        return self.until is None or at < self.until


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on, the default's percentage is this. One that waits is taken only once it is released: by somebody, or,
    where it `needs_health`, once its services are seen to be well (`flag_schedule`).
    """

    at: datetime
    percent: int
    waits: bool = False
    is_released: bool = False
    needs_health: bool = False

    @property
    def is_held(self) -> bool:
        """Whether it is not taken, however late it is."""
        return self.waits and not self.is_released


@dataclass(frozen=True, slots=True)
class Rules:
    """A flag's settings in one environment. `prerequisites`: (flag, variant) pairs that must all hold."""

    default: Serve
    is_on: bool = False
    kill: Kill | None = None
    targets: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    prerequisites: tuple[tuple[str, str], ...] = ()
    schedule: tuple[Step, ...] = ()

    def killed_at(self, at: datetime) -> Kill | None:
        """The kill in force at the instant."""
        return self.kill if self.kill is not None and self.kill.holds(at) else None

    def default_at(self, at: datetime) -> Serve:
        """The default at the instant: its percentage is that of the last step reached."""
        step = step_at(self.schedule, at)
        default = self.default
        return default if step is None else Serve(default.split, step.percent, default.rest, default.by)


@dataclass(frozen=True, slots=True)
class ServedFlag:
    """All that is needed to answer for a flag in one environment. `salt` outlives renames: nobody moves."""

    key: str
    value_type: ValueType
    variants: Mapping[str, Value]
    off: str
    salt: str
    rules: Rules
    kind: FlagKind = FlagKind.RELEASE


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Every flag and segment of one environment."""

    flags: Mapping[str, ServedFlag] = field(default_factory=dict)
    segments: Mapping[str, Segment] = field(default_factory=dict)


def unit_of(context: Context, by: str | None = None) -> str | None:
    """The text that a user is drawn and targeted by; None where the context has none. Numbers count as their digits."""
    value = attribute_of(context, by) if by else context.get("targetingKey")
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        return None
    return str(value)


def step_at(schedule: Sequence[Step], at: datetime) -> Step | None:
    """The last step reached, in order of time; None before the first. One that still waits holds up all after it."""
    reached = None
    for step in schedule:
        if step.at > at or step.is_held:
            break
        reached = step
    return reached


def stages_from(stage: Stage) -> tuple[Stage, ...]:
    """Where a migration may go from here: one stage on, or any back."""
    place = STAGES.index(stage)
    return (*STAGES[:place], *STAGES[place + 1 : place + 2])
