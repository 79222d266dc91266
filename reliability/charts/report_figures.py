"""The figures of a report, from the parts that are shown."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from deploys.charts.figures import Figure
from deploys.domain.wording import target
from reliability.charts.figures import (
    CAUSES,
    BudgetStep,
    CauseWeek,
    FailureWeek,
    Recovery,
    budget_burn_down,
    downtime_by_cause,
    failures_by_week,
    recovery_phases,
)
from reliability.charts.lead_times import lead_times
from reliability.charts.report import Shown
from reliability.charts.strip import week_strip
from reliability.charts.week import linked
from reliability.domain.outlook import Fate, outlook_of
from reliability.queries import week as reads
from reliability.queries.reports import WeekPoint

_KEPT: Final = 24
_kept: OrderedDict[tuple[object, ...], dict[str, Figure]] = OrderedDict()
_lock = threading.Lock()


def report_figures(shown: Shown) -> dict[str, Figure]:
    """Every figure by name. Those of a snapshot are drawn once by each process: checking them takes longer than all else."""
    basis = shown.basis
    if not basis.is_told:
        return _drawn(shown)
    key = (basis.snapshots[-1].public_id, basis.team.slug, shown.links.is_open)
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
            return found
    found = _drawn(shown)
    with _lock:
        _kept[key] = found
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return found


def _drawn(shown: Shown) -> dict[str, Figure]:
    total, words = shown.basis.printed["total"], str(shown.basis.period.kind)
    lead = total["lead_time"]
    figures = {
        "failures": failures_by_week(weeks=[_failure_week(shown, point) for point in shown.telling.points], period=words),
        "causes": downtime_by_cause(
            weeks=[
                CauseWeek(_short(point.label), {cause: point.downtime_by_cause[f"{cause}_seconds"] for cause in CAUSES}, shown.links.report(point.label))
                for point in shown.telling.points
            ],
            period=words,
        ),
        "recovery": recovery_phases(recoveries=[_recovery(shown, each) for each in shown.broken if each.is_severe]),
    }  # fmt: skip
    if counts := shown.basis.beside.get("lead_time_counts"):
        figures["lead"] = lead_times(
            counts=counts, median_seconds=lead["median_seconds"], p90_seconds=lead["p90_seconds"], unknown=lead["unknown_count"]
        )  # fmt: skip
    if budget := _budget(shown):
        figures["budget"] = budget
    if strip := shown.telling.strip:
        named = linked(strip, shown.links.incident)
        figures["strip"] = week_strip(named, figure_id="week-strip", title="What happened, and what caused it")
    return figures


def _short(label: str) -> str:
    """`W47` of `2026-W47`; months and quarters keep their year, of which a series holds several."""
    return label[5:] if "-W" in label else label


def _failure_week(shown: Shown, point: WeekPoint) -> FailureWeek:
    part = point.change_failure
    return FailureWeek(
        _short(point.label), part["failed_count"], part["deploys_count"], part["interval_low_ratio"], part["interval_high_ratio"],
        part["suspected_count"], point.label in shown.telling.restated, shown.links.report(point.label),
    )  # fmt: skip


def _recovery(shown: Shown, broken: reads.Broken) -> Recovery:
    begin = broken.begins_at

    def after(at: dt.datetime | None) -> float | None:
        return None if at is None or at < begin else (at - begin).total_seconds()

    detected = after(broken.detected_at) if broken.started_at is not None else None
    name = f"{broken.slug} {broken.services[0]}" if broken.services else broken.slug
    return Recovery(
        name,
        detected,
        after(broken.mitigated_at),
        broken.lasted.total_seconds(),
        shown.links.incident(broken.number),
        broken.restored_at is None,
    )


def _budget(shown: Shown) -> Figure | None:
    """The burn-down of the objective the verdict speaks of; requests have none."""
    chosen, burn = shown.chosen, shown.telling.burn_down
    if chosen is None or burn is None:
        return None
    return budget_burn_down(
        steps=[BudgetStep(step.at, step.remaining_seconds, step.what) for step in burn.steps],
        from_at=burn.from_at, to_at=burn.to_at, measured_to=burn.measured_to, budget_seconds=chosen["budget_seconds"],
        zone=shown.basis.zone, gone_at=burn.gone_at, pace_words=_pace_words(shown, chosen), name=chosen["service"] or "the whole", target=target(chosen["target_ratio"]),
    )  # fmt: skip


def _pace_words(shown: Shown, chosen: Mapping[str, Any]) -> str:  # Any: a printed objective
    """What becomes of it, unless it is spent already: then what is over says it."""
    outlook = outlook_of(chosen)
    return "" if outlook.fate is Fate.SPENT else outlook.words(shown.basis.zone)
