"""The figures of a report, from the parts that are shown."""

from __future__ import annotations

import datetime as dt

from deploys.charts.figures import Figure
from deploys.domain.wording import target
from incidents.models import Incident
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
from reliability.models import ReportSnapshot
from reliability.queries import week as reads
from reliability.queries.reports import WeekPoint


def report_figures(shown: Shown) -> dict[str, Figure]:
    """All but the strip, by name."""
    total, words = shown.basis.printed["total"], str(shown.basis.period.kind)
    lead = total["lead_time"]
    figures = {
        "failures": failures_by_week(weeks=_failure_weeks(shown), period=words),
        "causes": downtime_by_cause(
            weeks=[
                CauseWeek(_short(point.label), {cause: point.downtime_by_cause[f"{cause}_seconds"] for cause in CAUSES}, shown.links.report(point.label))
                for point in shown.points
            ],
            period=words,
        ),
        "recovery": recovery_phases(recoveries=[_recovery(shown, each) for each in shown.broken if each.is_severe]),
    }  # fmt: skip
    if counts := shown.basis.beside.get("lead_time_counts"):
        figures["lead"] = lead_times(
            counts=counts, median_seconds=lead["median_seconds"], p90_seconds=lead["p90_seconds"], unknown=lead["unknown_count"]
        )  # fmt: skip
    budget = _budget(shown)
    return figures if budget is None else {**figures, "budget": budget}


def _short(label: str) -> str:
    """`W47` of `2026-W47`; months and quarters keep their year, of which a series holds several."""
    return label[5:] if "-W" in label else label


def _failure_weeks(shown: Shown) -> list[FailureWeek]:
    labels = [point.label for point in shown.points]
    restated = set(
        ReportSnapshot.objects.filter(team=shown.basis.team, number__gt=1, label__in=labels).values_list(
            "label", flat=True
        )
    )
    return [_failure_week(shown, point, restated) for point in shown.points]


def _failure_week(shown: Shown, point: WeekPoint, restated: set[str]) -> FailureWeek:
    part = point.change_failure
    return FailureWeek(
        _short(point.label), part["failed_count"], part["deploys_count"], part["interval_low_ratio"], part["interval_high_ratio"],
        part["suspected_count"], point.label in restated, shown.links.report(point.label),
    )  # fmt: skip


def _recovery(shown: Shown, broken: reads.Broken) -> Recovery:
    incident, begin = broken.incident, broken.incident.begins_at

    def after(at: dt.datetime | None) -> float | None:
        return None if at is None or at < begin else (at - begin).total_seconds()

    detected = after(incident.detected_at) if incident.started_at is not None else None
    name = f"{incident.slug} {broken.services[0]}" if broken.services else incident.slug
    return Recovery(
        name,
        detected,
        after(incident.mitigated_at),
        broken.lasted.total_seconds(),
        shown.links.incident(incident),
        incident.restored_at is None,
    )


def _budget(shown: Shown) -> Figure | None:
    """The burn-down of the objective the verdict speaks of; requests have none."""
    basis, chosen = shown.basis, shown.chosen
    if chosen is None:
        return None
    evaluation = reads.objective_at(basis.known, shown.chosen_key, basis.window, basis.zone)
    if evaluation is None or not evaluation.is_time:
        return None
    spent = reads.burn_down(evaluation)
    ids = {each for step in spent for each in step.incident_ids}
    numbers = dict(Incident.objects.filter(team=basis.team, external_id__in=ids).values_list("external_id", "number"))
    steps = [
        BudgetStep(
            step.end, step.remaining_seconds,
            ", ".join(f"INC-{numbers[each]}" if each in numbers else each for each in step.incident_ids),
        )
        for step in spent
    ]  # fmt: skip
    gone = evaluation.projected_exhaustion_at(evaluation.budget(evaluation.period))
    return budget_burn_down(
        steps=steps, from_at=evaluation.period.start, to_at=evaluation.period.end, measured_to=evaluation.at,
        budget_seconds=chosen["budget_seconds"], zone=basis.zone, gone_at=gone,
        name=chosen["service"] or "the whole", target=target(chosen["target_ratio"]),
    )  # fmt: skip
