"""The five tiles of a report: each value with its n, the period before and several before it counted together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploys.domain.wording import GAP, UNKNOWN, count, duration, percent_range, percent_up, rate, target
from reliability.domain.verdicts import unit_of
from reliability.queries.reports import WeekPoint

Printed = Mapping[str, Any]  # Any: a part of the printed report


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile, in words. See `ui/tiles.html`."""

    label: str
    value: str
    said: str
    url: str = ""
    small: str = ""
    spark: Sequence[float | None] = field(default_factory=tuple)
    target: float | None = None
    before: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Compared:
    """The printed totals of the period before and of several before it, counted as one window, with their words."""

    one: Printed
    many: Printed
    one_words: str = "week before"
    many_words: str = "4 weeks before"


def availability_tile(
    total: Printed, objective: Printed | None, weeks: Sequence[WeekPoint], compared: Compared, incidents: int
) -> Tile:
    """How much of the observed time users were served. `objective` is the one of the whole, if there is one."""
    now = total["availability"]
    goal = objective["target_ratio"] if objective and not objective["service"] else None
    said = [f"target {target(goal)}"] if goal else []
    if now["observed_seconds"]:
        down = f"down {duration(now['downtime_seconds'])}" if now["downtime_seconds"] else "nothing was down"
        said.append(
            f"{down} in {count(incidents)} incident{'' if incidents == 1 else 's'}" if now["downtime_seconds"] else down
        )
    else:
        said.append("nothing was observed")
    if now["coverage_ratio"] is not None and now["coverage_ratio"] < 0.9995:
        said.append(f"observed {percent_range(now['coverage_ratio'], now['coverage_ratio'])} of the time")
    return Tile(
        "Availability", _up(now), "; ".join(said), url="#broke",
        spark=[week.availability["ratio"] for week in weeks], target=goal,
        before=[f"{compared.one_words} {_up(compared.one['availability'])}", f"{compared.many_words} {_up(compared.many['availability'])}"],
    )  # fmt: skip


def _up(availability: Printed) -> str:
    return percent_up(availability["downtime_seconds"], availability["observed_seconds"])


def budget_tile(
    objective: Printed | None, remaining: Sequence[float | None], before_words: str = "week before"
) -> Tile:
    """What is left of the headline objective's budget. `remaining` period by period, this one last."""
    if objective is None:
        return Tile("Budget left", UNKNOWN, "no objective could be judged")
    unit = unit_of(objective)
    left, budget = objective[f"remaining_{unit}"], objective[f"budget_{unit}"]
    name = objective["service"] or "the whole"
    window = (
        objective["window"].removesuffix("d") + f"{GAP}d"
        if objective["window"].endswith("d")
        else f"this {objective['window']}"
    )
    said = f"of {_amount(budget, unit)} in {window}, {name} {target(objective['target_ratio'])}"
    before = remaining[-2] if len(remaining) > 1 else None
    return Tile(
        "Budget left", _amount(abs(left), unit), said, url="#budget", small="" if left >= 0 else "over",
        spark=remaining, before=[] if before is None else [f"{before_words} {_amount(abs(before), unit)}{'' if before >= 0 else ' over'}"],
    )  # fmt: skip


def _amount(value: float, unit: str) -> str:
    return duration(value) if unit == "seconds" else f"{count(int(value))}{GAP}requests"


def failures_tile(total: Printed, weeks: Sequence[WeekPoint], compared: Compared) -> Tile:
    """Failed of deployed, with the interval and what the suspects would add."""
    now = total["change_failure"]
    failed, deploys = now["failed_count"], now["deploys_count"]
    if deploys:
        said = f"likely {percent_range(now['interval_low_ratio'], now['interval_high_ratio'])}"
        if now["suspected_count"]:
            said += f"; {rate(failed + now['suspected_count'], deploys)} if the suspect{'s are' if now['suspected_count'] > 1 else ' is'} confirmed"
        if now["pending_count"]:
            said += f"; {count(now['pending_count'])} still young"
    else:
        said = "nothing was deployed"
    ratios = [_ratio(week.change_failure) for week in weeks]
    return Tile(
        "Failed changes", rate(failed, deploys), said, url="#failed", small=f"{failed} of {count(deploys)}" if deploys else "", spark=ratios,
        before=[f"{compared.one_words} {_of(compared.one)}", f"{compared.many_words} {_of(compared.many)}"],
    )  # fmt: skip


def _ratio(part: Printed) -> float | None:
    ratio: float | None = part["ratio"]
    return ratio


def _of(total: Printed) -> str:
    part = total["change_failure"]
    return f"{part['failed_count']} of {count(part['deploys_count'])}"


def recovery_tile(total: Printed, weeks: Sequence[WeekPoint], compared: Compared) -> Tile:
    """How long failed deploys hurt: the median, with a bound sign while some still do."""
    now = total["failed_deployment_recovery"]
    n = now["completed_count"] + now["open_count"]
    if n:
        said = f"median of {n}"
        if n > 1:
            said += f"; p90 {_bounded(now, 'p90')}"
        said += f"; {now['open_count']} still open" if now["open_count"] else "; none still open"
    else:
        said = "no failed deploy recovered"
    return Tile(
        "Recovery of failed deploys", _bounded(now, "median"), said, url="#recovery",
        spark=[week.failed_deployment_recovery["median_seconds"] for week in weeks],
        before=[f"{compared.one_words} {_recovered(compared.one)}", f"{compared.many_words} {_recovered(compared.many)}"],
    )  # fmt: skip


def _bounded(durations: Printed, which: str) -> str:
    value = durations[f"{which}_seconds"]
    return f"≥{GAP}{duration(value)}" if value is not None and durations[f"{which}_is_lower_bound"] else duration(value)


def _recovered(total: Printed) -> str:
    part = total["failed_deployment_recovery"]
    n = part["completed_count"] + part["open_count"]
    return f"{_bounded(part, 'median')} (n{GAP}{n})" if n else "none"


def self_inflicted_tile(total: Printed, weeks: Sequence[WeekPoint], compared: Compared) -> Tile:
    """The share of downtime that our own changes caused, as a range while causes are unknown."""
    now = total["downtime_by_cause"]
    own, whole = now["own_change_seconds"], now["total_seconds"]
    if not whole:
        said = "nothing was down"
    else:
        said = f"{duration(own)} of {duration(whole)}"
        others = {
            name: now[f"{name}_seconds"]
            for name in ("external", "infrastructure", "capacity", "unknown")
            if now[f"{name}_seconds"]
        }
        if others:
            most = max(others, key=lambda name: others[name])
            said += (
                f"; the rest was {'not explained' if most == 'unknown' else most}"
                if len(others) == 1
                else f"; most of the rest was {'not explained' if most == 'unknown' else most}"
            )
    return Tile(
        "Self-inflicted", _share(now), said, url="#causes",
        spark=[week.downtime_by_cause["self_inflicted_low_ratio"] for week in weeks],
        before=[f"{compared.one_words} {_share(compared.one['downtime_by_cause'])}", f"{compared.many_words} {_share(compared.many['downtime_by_cause'])}"],
    )  # fmt: skip


def _share(part: Printed) -> str:
    return percent_range(part["self_inflicted_low_ratio"], part["self_inflicted_high_ratio"], places=0)
