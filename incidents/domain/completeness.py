"""Whether the data behind a number are complete, in sentences. The rules stand in docs/reports.md, "Missing data"."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from deploys.domain.wording import counted
from incidents.domain.intake import RAW_KEPT, Counted, Fate, Lost
from incidents.domain.intake_reasons import BY_CHOICE, ERROR_CATEGORIES, SESSION_CATEGORIES


class Gap(IntEnum):
    """What is missing; the gravest first."""

    ERRORS = 1
    REFUSED = 2
    EXPIRED = 3
    DEAD = 4
    SESSIONS = 5


@dataclass(frozen=True, slots=True)
class Missing:
    """`quantity` things of a service that are not in the numbers, in the hour that begins at `hour_at`."""

    service: str
    gap: Gap
    hour_at: dt.datetime
    quantity: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a reader of a number is told."""

    service: str
    text: str


def missing_of(service: str, counts: Iterable[Counted], losses: Iterable[Lost]) -> list[Missing]:
    """What SDKs lost, but not by choice, what was refused, and what was deleted undigested, in the hour in which it came.

    Losses of other kinds than errors and sessions say nothing.
    """
    found = [
        Missing(service, Gap.ERRORS if loss.category in ERROR_CATEGORIES else Gap.SESSIONS, loss.hour_at, loss.quantity)
        for loss in losses
        if loss.reason not in BY_CHOICE and loss.category in ERROR_CATEGORIES | SESSION_CATEGORIES
    ]
    found += [
        Missing(service, Gap.REFUSED, each.hour_at, each.quantity) for each in counts if each.fate is Fate.REFUSED
    ]
    found += [
        Missing(service, Gap.EXPIRED, each.hour_at - RAW_KEPT, each.quantity)
        for each in counts
        if each.fate is Fate.EXPIRED
    ]
    return found


def sentences(missing: Iterable[Missing], *, zone: dt.tzinfo) -> list[Sentence]:
    """One sentence for each service and gap, the gravest gap first, in it the largest; days are those of `zone`."""
    totals: dict[tuple[Gap, str], int] = defaultdict(int)
    days: dict[tuple[Gap, str], set[dt.date]] = defaultdict(set)
    for each in missing:
        totals[each.gap, each.service] += each.quantity
        days[each.gap, each.service].add(each.hour_at.astimezone(zone).date())
    ordered = sorted(totals, key=lambda key: (key[0], -totals[key], key[1]))
    return [Sentence(key[1], _said(key[0], key[1], totals[key], _on(sorted(days[key])))) for key in ordered]


def _said(gap: Gap, service: str, quantity: int, when: str) -> str:
    if gap is Gap.ERRORS:
        return f"SDKs of {service} reported {counted(quantity, 'error')} lost {when}: error counts are too low."
    if gap is Gap.SESSIONS:
        return f"SDKs of {service} reported {counted(quantity, 'session')} lost {when}: shares of users are uncertain."
    if gap is Gap.REFUSED:
        was = "was" if quantity == 1 else "were"
        return f"{counted(quantity, 'request')} of {service} {was} refused {when}: what they held is not counted."
    if gap is Gap.EXPIRED:
        was = "was" if quantity == 1 else "were"
        return (
            f"{counted(quantity, 'body', 'bodies')} of {service} that came {when} {was} deleted undigested after"
            f" {RAW_KEPT.days} days: what they held is not counted."
        )
    lies = "lies" if quantity == 1 else "lie"
    return (
        f"{counted(quantity, 'body', 'bodies')} of {service} {lies} in the dead letters: what they hold is not counted."
    )


def _on(days: list[dt.date]) -> str:
    if len(days) > 2:
        return f"on {len(days)} days"
    return "on " + " and ".join(f"{day:%A} {day.day} {day:%B}" for day in days)
