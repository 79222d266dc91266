"""What became of what senders sent, in words: fates of items, reasons of refusals and losses, and what to do about each.

Counts come as (kind of item, outcome, quantity). Outcomes that nobody here has heard of are shown by their own name, so
that a count is never left out because its explanation is missing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from incidents.domain.intake_reasons import (
    ADVICE_ON_SKIPPED,
    ERROR_CATEGORIES,
    EXPIRED,
    NO_REASON,
    SKIPPED,
    advice_on_loss,
    advice_on_refusal,
    humanised,
)

K = TypeVar("K", str, tuple[str, str])
HOUR = dt.timedelta(hours=1)
#: How long raw bodies and dead letters are kept. They are counted as expired in the hour in which they are deleted.
RAW_KEPT = dt.timedelta(days=14)


class Fate(StrEnum):
    """What an outcome comes to for the sender's data."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    SKIPPED = "skipped"
    DEAD = "dead"
    EXPIRED = "expired"
    OTHER = "other"


_FATES: Mapping[str, Fate] = {
    "stored": Fate.ACCEPTED,
    "counted": Fate.ACCEPTED,
    "accepted": Fate.ACCEPTED,
    "duplicate": Fate.DUPLICATE,
    "refused": Fate.REFUSED,
    "skipped": Fate.SKIPPED,
    "dead": Fate.DEAD,
    "expired": Fate.EXPIRED,
    "dead_expired": Fate.EXPIRED,
}
#: Kinds of items of the protocol; any other name beside a refusal is its reason.
_ITEMS = frozenset(
    {"event", "session", "sessions", "body", "envelope", "transaction", "span", "check_in", "client_report", "attachment"}
)  # fmt: skip
_SEPARATOR = re.compile(r"[:./ ]+|(?<=^refused)[_-]")


def fate_of(outcome: str) -> Fate:
    """The fate that an outcome begins with: `refused`, `refused:wrong_key`."""
    return _FATES.get(_SEPARATOR.split(outcome, maxsplit=1)[0], Fate.OTHER)


def reason_of(item: str, outcome: str) -> str:
    """Why an item was refused: told behind the outcome's first word, or in place of the kind of item."""
    behind = _SEPARATOR.split(outcome, maxsplit=1)[1:]
    if behind and behind[0]:
        return behind[0]
    return NO_REASON if item in _ITEMS else item


@dataclass(frozen=True, slots=True)
class Counted:
    """`quantity` items of one kind with one outcome, received in the hour that begins at `hour_at`."""

    hour_at: dt.datetime
    item: str
    outcome: str
    quantity: int

    @property
    def fate(self) -> Fate:
        """What it came to."""
        return fate_of(self.outcome)


@dataclass(frozen=True, slots=True)
class Lost:
    """`quantity` items of a category that an SDK says it never sent, in the hour that begins at `hour_at`."""

    hour_at: dt.datetime
    reason: str
    category: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Reason:
    """How often one thing happened, what it means and what to do."""

    name: str
    quantity: int
    advice: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Intake:
    """Everything counted over a window. Lists are sorted by quantity, the largest first.

    `events_count`, `duplicates_count` and `lost_count` are error events, `sessions_count` sessions; `taken_count`,
    `refused_count`, `dead_count` and `expired_count` requests. `others` are counts with outcomes that have no explanation here, and accepted items of other kinds.
    """

    taken_count: int = 0
    events_count: int = 0
    duplicates_count: int = 0
    sessions_count: int = 0
    refused_count: int = 0
    dead_count: int = 0
    expired_count: int = 0
    skipped_count: int = 0
    lost_count: int = 0
    refused: Sequence[Reason] = ()
    expired: Sequence[Reason] = ()
    skipped: Sequence[Reason] = ()
    lost: Sequence[Reason] = ()
    others: Sequence[Reason] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was counted."""
        return not (
            self.taken_count or self.events_count or self.duplicates_count or self.sessions_count or self.refused_count or self.dead_count
            or self.expired_count or self.skipped_count or self.lost or self.others
        )  # fmt: skip


def intake(counted: Iterable[Counted], lost: Iterable[Lost]) -> Intake:
    """The sums of a window."""
    sums: Counter[tuple[str, str]] = Counter()
    for line in counted:
        sums[line.item, line.outcome] += line.quantity
    by_fate: dict[Fate, Counter[tuple[str, str]]] = defaultdict(Counter)
    for (item, outcome), quantity in sums.items():
        by_fate[fate_of(outcome)][item, outcome] += quantity
    accepted = by_fate[Fate.ACCEPTED]
    refused: Counter[str] = Counter()
    for (item, outcome), quantity in by_fate[Fate.REFUSED].items():
        refused[reason_of(item, outcome)] += quantity
    losses: Counter[tuple[str, str]] = Counter()
    for loss in lost:
        losses[loss.reason, loss.category] += loss.quantity
    others: Counter[tuple[str, str]] = Counter(by_fate[Fate.OTHER])
    others.update({key: quantity for key, quantity in accepted.items() if key[0] not in ("event", "session", "body")})
    return Intake(
        taken_count=sum(quantity for (item, _), quantity in accepted.items() if item == "body"),
        events_count=sum(quantity for (item, _), quantity in accepted.items() if item == "event"),
        duplicates_count=by_fate[Fate.DUPLICATE].total(),
        sessions_count=sum(quantity for (item, _), quantity in accepted.items() if item == "session"),
        refused_count=refused.total(),
        dead_count=by_fate[Fate.DEAD].total(),
        expired_count=by_fate[Fate.EXPIRED].total(),
        skipped_count=by_fate[Fate.SKIPPED].total(),
        lost_count=sum(quantity for (_, category), quantity in losses.items() if category in ERROR_CATEGORIES),
        refused=[Reason(humanised(name), quantity, advice_on_refusal(name)) for name, quantity in _sorted(refused)],
        expired=[
            Reason(EXPIRED[outcome].name, quantity, EXPIRED[outcome].advice)
            for (_, outcome), quantity in _sorted(by_fate[Fate.EXPIRED])
        ],
        skipped=[
            Reason(humanised(item), quantity, ADVICE_ON_SKIPPED.get(item, SKIPPED))
            for (item, _), quantity in _sorted(by_fate[Fate.SKIPPED])
        ],
        lost=[
            Reason(humanised(reason), quantity, advice_on_loss(reason), humanised(category))
            for (reason, category), quantity in _sorted(losses)
        ],
        others=[Reason(humanised(item), quantity, "", humanised(outcome)) for (item, outcome), quantity in _sorted(others)],
    )  # fmt: skip


def _sorted(sums: Counter[K]) -> list[tuple[K, int]]:
    return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))


# -- the picture ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Hour:
    """Error events stored, requests refused and error events lost in the hour that begins at `at`."""

    at: dt.datetime
    accepted: int = 0
    refused: int = 0
    lost: int = 0
    dead: int = 0


def hours_of(
    counted: Iterable[Counted], lost: Iterable[Lost], *, begins_at: dt.datetime, ends_at: dt.datetime
) -> list[Hour]:
    """Every hour of [begins_at, ends_at), which both lie on a full hour; what was counted outside is left out."""
    hours = {
        at: Hour(at)
        for step in range(int((ends_at - begins_at) / HOUR))
        if (at := begins_at + step * HOUR)
    }  # fmt: skip
    for line in counted:
        hour = hours.get(line.hour_at)
        if hour is None:
            continue
        if line.fate is Fate.ACCEPTED and line.item == "event":
            hour.accepted += line.quantity
        elif line.fate is Fate.REFUSED:
            hour.refused += line.quantity
        elif line.fate is Fate.DEAD:
            hour.dead += line.quantity
    for loss in lost:
        hour = hours.get(loss.hour_at)
        if hour is not None and loss.category in ERROR_CATEGORIES:
            hour.lost += loss.quantity
    return list(hours.values())
