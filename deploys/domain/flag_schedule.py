"""Steps of a schedule that wait until the services are well: when one is due, whether it may be taken, and what then follows.

Looks are repeated each minute until one finds everything well, so a step is delayed by trouble and never refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil, exp, lgamma, log
from typing import Final

from deploys.domain.flag_rules import Rules, Step

#: How long it must have been looked at since the flag last changed; and how far back a look goes at most.
LEAST_WATCHED: Final = timedelta(minutes=10)
MOST_WATCHED: Final = timedelta(hours=1)
#: A step that was later than this moves those after it by as much: they were planned to follow at a distance.
LATE: Final = timedelta(minutes=5)
#: More failing users than before hold a step where they are so many times more, and where chance alone would do that less
#: often than this, even were the traffic a fourth heavier than the day before (ROLLOUTS section 2: r0 is 1.25 where
#: exposures are not counted; the least effect is 1.5). Among more than MANY, chance alone never does.
MANY: Final = 1_000
LEAST_EFFECT: Final = 1.5
HEAVIER: Final = 1.25
CHANCE: Final = 0.05
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Windows:
    """What is compared: [since, until) with [before, before_until), which is as long, at the same time of an earlier day."""

    since: datetime
    until: datetime
    before: datetime
    before_until: datetime


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """What is known of a service: open incidents in words, and who failed (users, else requests) in the two windows.

    `is_heard`: whether it reported anything lately, so that silence says something.
    """

    name: str
    is_heard: bool = True
    incidents: tuple[str, ...] = ()
    failing_count: int = 0
    before_count: int = 0


def held_step(rules: Rules, at: datetime) -> Step | None:
    """The step that is due and waits for health alone; None where none is, or another one holds it up."""
    step = next((each for each in rules.schedule if each.at > at or each.is_held), None)
    return step if step is not None and step.at <= at and step.needs_health else None


def waits_for_health(rules: Rules) -> bool:
    """Whether some step will have to be let through."""
    return any(each.needs_health and each.is_held for each in rules.schedule)


def taken(rules: Rules, at: datetime) -> Rules:
    """The rules with the held step taken at this instant; as they are where none is held.

    Where it was late, the steps after it come as much later: 100 % an hour after 50 % stays an hour after.
    """
    step = held_step(rules, at)
    if step is None:
        return rules
    place = rules.schedule.index(step)
    rest = rules.schedule[place + 1 :]
    late = at - step.at
    if late > LATE or any(each.at <= at for each in rest):
        rest = tuple(replace(each, at=each.at + late) for each in rest)
    return replace(rules, schedule=(*rules.schedule[:place], replace(step, at=at, is_released=True), *rest))


def windows(changed_at: datetime, at: datetime) -> Windows:
    """What to compare for a flag that last changed at `changed_at`: since then, an hour at most, with the last day before it
    at the same time of day.
    """
    since = max(changed_at, at - MOST_WATCHED)
    days = max(1, ceil((at - changed_at) / DAY)) * DAY
    return Windows(since, at, since - days, at - days)


def reasons_to_wait(seen: Windows, services: Sequence[ServiceHealth]) -> list[str]:
    """Why the step is not taken, in words; empty: everything is well.

    An open incident, more failing users than before, too short a look, and services of which nobody would hear.
    """
    found = []
    if seen.until - seen.since < LEAST_WATCHED:
        minutes = int(LEAST_WATCHED.total_seconds() // 60)
        found.append(f"the flag changed less than {minutes} minutes ago")
    if not any(each.is_heard for each in services):
        names = ", ".join(each.name for each in services)
        why = f"{names} reported nothing for a week" if names else "the team has no service"
        found.append(f"nobody could tell: {why}")
    for each in services:
        found += [f"{incident} is open on {each.name}" for incident in each.incidents]
        if is_worse(each.failing_count, each.before_count):
            found.append(
                f"{each.failing_count} fail on {each.name}, {each.before_count} at this time of the day before it changed"
            )
    return found


def is_worse(now: int, before: int) -> bool:
    """Whether more fail than before, beyond chance.

    Given how many failed in both windows, of equal length, those of the second are binomial with a share of at most
    r0 / (1 + r0) while nothing got worse (the conditional test of two Poisson rates, Przyborowski and Wilenski 1940).
    """
    total, share = now + before, HEAVIER / (1 + HEAVIER)
    if now < LEAST_EFFECT * before or total > MANY:
        return now >= LEAST_EFFECT * before
    tail = sum(
        exp(lgamma(total + 1) - lgamma(k + 1) - lgamma(total - k + 1) + k * log(share) + (total - k) * log(1 - share))
        for k in range(now, total + 1)
    )
    return tail < CHANCE
