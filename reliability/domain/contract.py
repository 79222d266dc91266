"""The printed report: everything about a window, in plain values that become JSON.

Names carry units, null means undefined, times are UTC. Beside every ratio stand its counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from deploys.domain.flag_evaluations import with_evaluation
from deploys.domain.flag_lifecycle import StaleFlag, in_priority_order, stale_flag
from deploys.domain.instants import instant_text, seconds
from reliability.domain import dora, recovery
from reliability.domain.causes import Share
from reliability.domain.dora import Printed, Scope
from reliability.domain.estimates import ratio
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Excuses, Knowledge
from reliability.domain.policy import Policy
from reliability.domain.slo import Evaluation
from reliability.domain.uptime import Measure, percent_text
from reliability.domain.weeks import calendar_days, weeks_in

CONTRACT = "metrics/1"


@dataclass(frozen=True, slots=True)
class Report:
    """A window of what is known. elapsed is the part of the window up to the as-of instant, maybe empty."""

    known: Knowledge
    window: Interval
    zone: ZoneInfo

    @property
    def as_of(self) -> datetime:
        """The instant of the state of knowledge."""
        return self.known.history.as_of

    @property
    def elapsed(self) -> Interval:
        """[start, max(start, min(end, as-of)))."""
        return Interval(self.window.start, max(self.window.start, min(self.window.end, self.as_of)))

    def scope(self, service: str | None) -> Scope:
        """The elapsed window of a service or of the whole."""
        return Scope(service, self.elapsed)


def contract(report: Report) -> Printed:
    """The whole object."""
    history = report.known.history
    return {
        "contract": CONTRACT,
        "window": window_part(report),
        "policy": policy_part(history.policy),
        "services": {name: scope_part(report, name) for name in sorted(history.services)},
        "total": total_part(report),
        "objectives": {
            objective.id: Evaluation(report.known, objective, report.window, report.elapsed.end, report.zone).printed()
            for objective in history.objectives
        },
        "flags": flags_part(report),
        "weeks": weeks_part(report),
    }


def window_part(report: Report) -> Printed:
    """The window, its elapsed part, and the state of knowledge."""
    return {
        "from_at": instant_text(report.window.start),
        "to_at": instant_text(report.window.end),
        "elapsed_to_at": instant_text(report.elapsed.end),
        "as_of_at": instant_text(report.as_of),
        "zone": report.zone.key,
        "window_seconds": seconds(report.window.length),
        "elapsed_seconds": seconds(report.elapsed.length),
        "calendar_days": float(calendar_days(report.elapsed, report.zone)),
    }


def policy_part(policy: Policy) -> Printed:
    """The counting policy in force."""
    return {
        "environment": policy.environment,
        "failure_classes": list(policy.failure_classes),
        "deploy_timeout_seconds": policy.deploy_timeout_seconds,
        "pending_seconds": policy.pending_seconds,
        "maintenance_notice_seconds": policy.maintenance_notice_seconds,
        "stale_after_seconds": policy.stale_after_seconds,
    }


def scope_part(report: Report, service: str | None) -> Printed:
    """All measures of a service, or of the whole (None)."""
    known, scope = report.known, report.scope(service)
    return {
        "availability": availability_part(known, scope),
        "downtime_by_cause": downtime_by_cause(known, scope),
        "deploys": dora.deploys_measure(known, scope),
        "deployment_frequency": dora.deployment_frequency(known, scope, report.zone),
        "change_failure": dora.change_failure(known, scope),
        "change_fault": dora.change_fault(known, scope),
        "failed_deployment_recovery": recovery.failed_deployment_recovery(known, scope).printed(),
        "time_to_restore": recovery.time_to_restore(known, scope),
        "phases": recovery.phases(known, scope),
        "lead_time": dora.lead_time(known, scope),
        "rework": dora.rework(known, scope),
        "issues": dora.issues(known, scope),
    }


def availability_part(known: Knowledge, scope: Scope) -> Printed:
    """The three figures: announced slots out, late excuses out as well, nothing excused."""
    headline, also_late, bare = (known.timeline(scope.service, mode).measure(scope.window) for mode in Excuses)
    return {
        "alive_seconds": seconds(headline.alive),
        "excused_seconds": seconds(headline.excused),
        "late_excused_seconds": seconds(also_late.excused - headline.excused),
        "unknown_seconds": seconds(headline.unknown),
        "observed_seconds": seconds(headline.observed),
        "coverage_ratio": _number(ratio(headline.observed, headline.alive - headline.excused)),
        "downtime_seconds": seconds(headline.downtime),
        "outage_seconds": seconds(headline.outage),
        "partial_seconds": seconds(headline.partial),
        "ratio": _number(headline.availability),
        "display": percent_text(headline.downtime, headline.observed),
        "with_late_excuses_ratio": _number(also_late.availability),
        "without_excuses_ratio": _number(bare.availability),
    }


def downtime_by_cause(known: Knowledge, scope: Scope) -> Printed:
    """Downtime divided: equally among the worst incidents of each moment, each part by that incident's causes."""
    measure = known.timeline(scope.service).measure(scope.window)
    parts = dict.fromkeys(Share, Fraction(0))
    for owners, lost in measure.by_owners.items():
        for owner in owners:
            for share, part in known.incident_by_id[owner].shares.items():
                parts[share] += lost / len(owners) * part
    own, unknown = parts[Share.OWN_CHANGE], parts[Share.UNKNOWN]
    return {
        **{f"{share}_seconds": seconds(part) for share, part in parts.items()},
        "total_seconds": seconds(measure.downtime),
        "self_inflicted_low_ratio": _number(ratio(own, measure.downtime)),
        "self_inflicted_high_ratio": _number(ratio(own + unknown, measure.downtime)),
    }


def total_part(report: Report) -> Printed:
    """The whole, with the other two named ways to combine services."""
    known = report.known
    part = scope_part(report, None)
    availability = part["availability"]
    measures = {name: known.timeline(name).measure(report.elapsed) for name in known.history.services}
    return {
        **part,
        "availability": {**(availability if isinstance(availability, dict) else {}), "mode": "any_critical_down"},
        "availability_service_seconds": service_seconds(measures),
        "availability_user_weighted": user_weighted(
            measures, {name: service.users for name, service in known.history.services.items()}
        ),
    }


def service_seconds(measures: Mapping[str, Measure]) -> Printed:
    """One minus all downtime over all observed time."""
    observed = sum(measure.observed for measure in measures.values())
    downtime = sum((measure.downtime for measure in measures.values()), Fraction(0))
    return {
        "observed_seconds": seconds(observed),
        "downtime_seconds": seconds(downtime),
        "ratio": float(1 - downtime / observed) if observed else None,
        "display": percent_text(downtime, observed),
    }


def user_weighted(measures: Mapping[str, Measure], users: Mapping[str, Fraction | None]) -> Printed:
    """Time weighted by the people who depend on each service; undefined where one with observed time states none."""
    total, lost = Fraction(0), Fraction(0)
    for name, measure in measures.items():
        count = users[name]
        if count is None:
            if measure.observed:
                return {"user_seconds": None, "lost_user_seconds": None, "ratio": None, "display": None}
            continue
        total += count * measure.observed
        lost += count * measure.downtime
    return {
        "user_seconds": seconds(total),
        "lost_user_seconds": seconds(lost),
        "ratio": float(1 - lost / total) if total else None,
        "display": percent_text(lost, total),
    }


def flags_part(report: Report) -> Printed:
    """Flags at the end of the elapsed window, the stale ones in order of priority."""
    at, limit = report.elapsed.end, report.known.history.policy.stale_after
    measured = report.known.history.evaluations
    evaluated = measured(at) if measured is not None and report.known.history.flags else {}
    known = [with_evaluation(flag, evaluated.get(flag.key)) for flag in report.known.history.flags]
    listed = [flag for flag in known if flag.is_listed(at)]
    harmful = report.known.harmful_flag_change_ids
    found = [
        stale_flag(flag, at, limit, has_hurt=any(line.at < at and line.id in harmful for line in flag.lines))
        for flag in listed
    ]
    stale = in_priority_order(flag for flag in found if flag is not None)
    return {
        "flags_count": len(listed),
        "permanent_count": sum(flag.is_permanent for flag in listed),
        "stale_count": len(stale),
        "stale": [_stale_flag_part(flag) for flag in stale],
    }


def weeks_part(report: Report) -> list[Printed]:
    """The whole, week by week, clipped to the elapsed window."""
    known, weeks = report.known, []
    for week in weeks_in(report.elapsed, report.zone):
        scope = Scope(None, week.interval)
        begun = sum(week.interval.holds(case.incident.begin_at) for case in known.incidents)
        weeks.append(
            {
                "iso_week": week.label,
                "from_at": instant_text(week.interval.start),
                "to_at": instant_text(week.interval.end),
                "elapsed_seconds": seconds(week.interval.length),
                "is_whole": week.is_whole,
                "deploys_count": len(dora.new_versions_in(known, scope)),
                "issues_count": begun,
                "downtime_seconds": seconds(known.timeline(None).measure(week.interval).downtime),
            }
        )
    return weeks


def _stale_flag_part(flag: StaleFlag) -> Printed:
    return {
        "key": flag.key,
        "reasons": [str(reason) for reason in flag.reasons],
        "percent": flag.state.percent,
        "since_at": None if flag.state.since_at is None else instant_text(flag.state.since_at),
        "overdue_seconds": flag.overdue.total_seconds(),
        "owner": flag.owner,
        "priority_points": flag.priority_points,
    }


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
