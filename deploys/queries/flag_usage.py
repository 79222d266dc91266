"""How flags are asked for, from the counters: what is known, and since when anybody would have known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from django.db.models import Max, Min, Sum

from deploys.domain.flag_dossier import DAY, Usage
from deploys.domain.flag_evaluations import Evaluated, last_evaluated
from deploys.models import Environment, FlagCheck, RegisteredFlag, Team

#: How far back counters are read. A flag nobody asked for in this time was never asked for, as far as rules go.
SPAN: Final = 90 * DAY
WEEK: Final = 7 * DAY
Place = tuple[int, str]
"""Environment and key."""
Sightings = Mapping[Place, dt.datetime]
"""The last error of an environment that carried a flag."""


def usage_of(environments: Collection[int], *, now: dt.datetime, seen: Sightings) -> dict[Place, Usage]:
    """Usage by place, for every key that was ever asked for; `("")` stands for any other key. Three queries."""
    rows = FlagCheck.objects.filter(environment__in=environments, hour__gt=now - SPAN, hour__lte=now)
    alive = _telemetry(environments, now)
    found = {(environment, ""): usage for environment, usage in alive.items()}
    groups = rows.values_list("environment_id", "key", "kind").annotate(Max("last_at"))
    for environment, key, kind, last_at in groups:
        usage = found.get((environment, key)) or alive.get(environment, Usage())
        if kind == FlagCheck.Kind.CHECK:
            usage = replace(usage, checked_at=min(last_at, now))
        elif kind == FlagCheck.Kind.BULK:
            usage = replace(usage, listed_at=min(last_at, now))
        found[environment, key] = usage
    for (environment, key), at in seen.items():
        usage = found.get((environment, key)) or alive.get(environment, Usage())
        found[environment, key] = replace(usage, checked_at=max(at, usage.checked_at or at))
    _answers(found, environments, now)
    return found


def _telemetry(environments: Collection[int], now: dt.datetime) -> dict[int, Usage]:
    """The last evaluation of anything in each environment, and since when they came without a day's gap. One query."""
    hours = FlagCheck.objects.filter(
        environment__in=environments, kind=FlagCheck.Kind.CHECK, hour__gt=now - SPAN, hour__lte=now
    )
    found: dict[int, Usage] = {}
    for environment, hour, last_at in (
        hours.values_list("environment_id", "hour").annotate(Max("last_at")).order_by("environment_id", "hour")
    ):
        past = found.get(environment)
        is_unbroken = past is not None and past.telemetry_at is not None and hour - past.telemetry_at <= DAY
        since = past.watched_since if past is not None and is_unbroken else hour
        found[environment] = Usage(telemetry_at=min(last_at, now), watched_since=since)
    return found


def _answers(found: dict[Place, Usage], environments: Collection[int], now: dt.datetime) -> None:
    """Where only one variant was answered lately: which, since when, how often in the last 14 days. One query."""
    rows = FlagCheck.objects.filter(
        environment__in=environments, kind=FlagCheck.Kind.CHECK, hour__gt=now - SPAN, hour__lte=now
    ).exclude(variant="")
    by_place: dict[Place, list[tuple[str, dt.datetime, dt.datetime]]] = {}
    for environment, key, variant, first, last in rows.values_list("environment_id", "key", "variant").annotate(
        Min("hour"), Max("last_at")
    ):
        by_place.setdefault((environment, key), []).append((variant, first, last))
    counts = {
        (environment, key, variant): quantity
        for environment, key, variant, quantity in rows.filter(hour__gt=now - 14 * DAY)
        .values_list("environment_id", "key", "variant")
        .annotate(Sum("quantity"))
    }
    for place, variants in by_place.items():
        newest = max(variants, key=lambda each: each[2])
        others = [each[2] for each in variants if each is not newest]
        since = max([newest[1], *others])
        found[place] = replace(
            found.get(place, Usage()),
            only_variant=newest[0],
            only_since=since,
            only_count=counts.get((*place, newest[0]), 0),
        )


def checks_by_week(environments: Collection[int], *, now: dt.datetime) -> dict[str, tuple[int, ...]]:
    """Single checks per key in each of the last four weeks, oldest first. One query."""
    rows = FlagCheck.objects.filter(
        environment__in=environments, kind=FlagCheck.Kind.CHECK, hour__gt=now - 4 * WEEK, hour__lte=now
    )
    found: dict[str, list[int]] = {}
    for key, hour, quantity in rows.values_list("key", "hour").annotate(Sum("quantity")):
        weeks = found.setdefault(key, [0, 0, 0, 0])
        weeks[3 - min((now - hour) // WEEK, 3)] += quantity
    return {key: tuple(weeks) for key, weeks in found.items()}


def evaluations_at(team: Team, at: dt.datetime, *, tier: str = "production") -> dict[str, Evaluated]:
    """Flags served from here whose evaluations are measured at an instant. Six queries; one where there is no flag.

    Counts are known to the hour in which they were received, so that a past instant gives the same again.
    """
    keys = list(RegisteredFlag.objects.filter(team=team).values_list("key", flat=True))
    if not keys:
        return {}
    environments = list(Environment.objects.filter(team=team, tier=tier).values_list("pk", flat=True))
    usage = usage_of(environments, now=at, seen={})
    found: dict[str, Evaluated] = {}
    for key in keys:
        usages = [usage.get((each, key)) or usage.get((each, ""), Usage()) for each in environments]
        if (evaluated := last_evaluated(usages, at)) is not None:
            found[key] = evaluated
    return found
