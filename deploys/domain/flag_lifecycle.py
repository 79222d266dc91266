"""The state of a flag at an instant, and whether the flag has outlived its use."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from deploys.domain.environments import tier
from deploys.domain.instants import optional_instant, parse_instant
from deploys.domain.records import Payload, Record

MONTH = timedelta(days=30)
MOST_MONTHS_COUNTED = 6


class StaleReason(StrEnum):
    """Why a flag should go. The order of the names is the printed order."""

    EXPIRED = "expired"
    FULLY_OFF = "fully_off"
    FULLY_ON = "fully_on"
    UNEVALUATED = "unevaluated"
    UNREFERENCED = "unreferenced"


POINTS = {
    StaleReason.FULLY_ON: 3,
    StaleReason.FULLY_OFF: 2,
    StaleReason.EXPIRED: 3,
    StaleReason.UNEVALUATED: 2,
    StaleReason.UNREFERENCED: 4,
}


@dataclass(frozen=True, slots=True)
class FlagChange:
    """One line that set a flag. is_change is False where it repeats the state the flag was in."""

    id: str
    key: str
    tier: str
    at: datetime
    new_percent: float
    old_percent: float | None = None
    segment: object = None
    services: tuple[str, ...] = ()
    is_change: bool = True


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag in one tier with its lines in order of time.

    is_evaluation_known: False means nobody measures evaluations; with last_evaluated_at None it was never evaluated.
    """

    key: str
    lines: tuple[FlagChange, ...] = ()
    created_at: datetime | None = None
    owner: str | None = None
    is_permanent: bool = False
    expires_at: datetime | None = None
    is_evaluation_known: bool = False
    last_evaluated_at: datetime | None = None
    code_references: int | None = None
    archived_at: datetime | None = None

    @property
    def born_at(self) -> datetime | None:
        """When it was created, else its first line."""
        return self.created_at or (self.lines[0].at if self.lines else None)

    def is_listed(self, at: datetime) -> bool:
        """Born before the instant and not archived by then."""
        is_archived = self.archived_at is not None and self.archived_at <= at
        return not is_archived and (self.born_at is None or self.born_at < at)


@dataclass(frozen=True, slots=True)
class FlagState:
    """What a flag does at an instant; since_at is None where nobody knows."""

    percent: float
    segment: object
    since_at: datetime | None


@dataclass(frozen=True, slots=True)
class StaleFlag:
    """A flag with at least one reason to go."""

    key: str
    reasons: tuple[StaleReason, ...]
    state: FlagState
    overdue: timedelta
    owner: str | None
    priority_points: int


def flag_change_of(identity: str, record: Payload, as_of: datetime) -> FlagChange | None:
    """The typed change; None if it lies after the as-of instant."""
    at = parse_instant(record["at"])
    if at > as_of:
        return None
    services = record.get("services")
    return FlagChange(
        id=identity,
        key=str(record["key"]),
        tier=tier(str(record.get("environment") or "production")),
        at=at,
        new_percent=_number(record["new_percent"]) or 0,
        old_percent=_number(record.get("old_percent")),
        segment=record.get("segment") or None,
        services=tuple(map(str, services)) if isinstance(services, list) else (),
    )


def ordered_lines(lines: Iterable[FlagChange]) -> dict[str, list[FlagChange]]:
    """Lines by flag key in order of time (ties by id), each marked whether it changed anything.

    Before its first line a flag is in that line's old_percent without segment, if that is given; else unknown.
    """
    by_key: dict[str, list[FlagChange]] = {}
    for line in sorted(lines, key=lambda line: (line.at, line.id)):
        past = by_key.setdefault(line.key, [])
        if past:
            is_repeat = (past[-1].new_percent, past[-1].segment) == (line.new_percent, line.segment)
        else:
            is_repeat = (line.old_percent, None) == (line.new_percent, line.segment)
        past.append(replace(line, is_change=not is_repeat))
    return by_key


def flags_of(
    records: Iterable[tuple[str, Record]], changes: dict[str, list[FlagChange]], wanted_tier: str
) -> list[Flag]:
    """All flags of a tier, by key: those described and those that only ever changed.

    records are (identity, folded description) pairs in the order of first mention; spellings of one tier add up.
    """
    described: dict[str, Record] = {key: {} for key in changes}
    for _, record in records:
        if tier(str(record.get("environment") or "production")) == wanted_tier:
            key = str(record["key"])
            described[key] = {**described.get(key, {}), **record}
    return [_flag(key, record, changes.get(key, [])) for key, record in sorted(described.items())]


def state_at(flag: Flag, at: datetime) -> FlagState:
    """The state made by the lines before the instant (exclusive); 0 % where there are none."""
    lines = [line for line in flag.lines if line.at < at]
    if not lines:
        return FlagState(0, None, flag.created_at)
    since_at = next((line.at for line in reversed(lines) if line.is_change), flag.created_at)
    return FlagState(lines[-1].new_percent, lines[-1].segment, since_at)


def stale_flag(flag: Flag, at: datetime, limit: timedelta, *, has_hurt: bool) -> StaleFlag | None:
    """The verdict at an instant; None while nothing speaks against the flag.

    has_hurt: one of its changes before the instant is a confirmed cause of an incident.
    """
    state = state_at(flag, at)
    overdue = {} if flag.is_permanent else _overdue_by_reason(flag, state, at, limit)
    if flag.code_references == 0:
        overdue[StaleReason.UNREFERENCED] = timedelta(0)
    if not overdue:
        return None
    longest = max(overdue.values())
    points = sum(POINTS[reason] for reason in overdue) + 3 * has_hurt + (flag.owner is None)
    return StaleFlag(
        key=flag.key,
        reasons=tuple(sorted(overdue)),
        state=state,
        overdue=longest,
        owner=flag.owner,
        priority_points=points + min(longest // MONTH, MOST_MONTHS_COUNTED),
    )


def in_priority_order(flags: Iterable[StaleFlag]) -> list[StaleFlag]:
    """Most points first, then longest overdue, then by key."""
    return sorted(flags, key=lambda flag: (-flag.priority_points, -flag.overdue, flag.key))


def _overdue_by_reason(flag: Flag, state: FlagState, at: datetime, limit: timedelta) -> dict[StaleReason, timedelta]:
    overdue: dict[StaleReason, timedelta] = {}
    past_limit = timedelta(0) if state.since_at is None else at - state.since_at - limit
    if past_limit > timedelta(0) and state.percent == 0:
        overdue[StaleReason.FULLY_OFF] = past_limit
    if past_limit > timedelta(0) and state.percent == 100 and state.segment is None:
        overdue[StaleReason.FULLY_ON] = past_limit
    if flag.expires_at is not None and flag.expires_at <= at:
        overdue[StaleReason.EXPIRED] = at - flag.expires_at
    if flag.is_evaluation_known and flag.born_at is not None and at - flag.born_at > limit:
        unused = at - (flag.last_evaluated_at or flag.born_at) - limit
        if unused > timedelta(0):
            overdue[StaleReason.UNEVALUATED] = unused
    return overdue


def _flag(key: str, record: Record, lines: Sequence[FlagChange]) -> Flag:
    owner, references = record.get("owner"), record.get("code_references")
    return Flag(
        key=key,
        lines=tuple(lines),
        created_at=optional_instant(record.get("created_at")),
        owner=None if owner is None else str(owner),
        is_permanent=record.get("kind") == "permanent",
        expires_at=optional_instant(record.get("expires_at")),
        is_evaluation_known="last_evaluated_at" in record,
        last_evaluated_at=optional_instant(record.get("last_evaluated_at")),
        code_references=references if isinstance(references, int) else None,
        archived_at=optional_instant(record.get("archived_at")),
    )


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
