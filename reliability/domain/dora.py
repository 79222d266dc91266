"""Delivery measures: frequency, change failure rate, change-fault rate, lead time, rework, issues per deploy.

Each takes what is known, a scope (a service, or None for the whole) and the elapsed window [start, end).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias
from zoneinfo import ZoneInfo

from deploys.domain.deploy_facts import DeployFacts, DeployKind, Outcome
from deploys.domain.flag_lifecycle import FlagChange
from deploys.domain.instants import microseconds, seconds
from reliability.domain.causes import Origin
from reliability.domain.estimates import MEDIAN, P90, quantile, ratio, wilson_interval
from reliability.domain.history import IMPACT_CLASSES
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.weeks import calendar_days, local_date, weeks_in

Printed: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a number is about: one service, or the whole (None), in the elapsed part of a window."""

    service: str | None
    window: Interval


def deploys_in(known: Knowledge, scope: Scope) -> list[DeployFacts]:
    """Deploys that belong to the window: by their live time, without one by their start."""
    return [facts for facts in known.deploys_of.get(scope.service, []) if scope.window.holds(facts.counted_at)]


def new_versions_in(known: Knowledge, scope: Scope) -> list[DeployFacts]:
    """Forward deploys and hotfixes that took traffic in the window: the denominator of the change failure rate."""
    return [facts for facts in deploys_in(known, scope) if facts.is_new_version]


def deploys_measure(known: Knowledge, scope: Scope) -> Printed:
    """Counts by kind (of those that took traffic) and by outcome."""
    deploys = deploys_in(known, scope)
    kinds = Counter(facts.kind for facts in deploys if facts.live_at is not None)
    outcomes = Counter(facts.outcome for facts in deploys)
    return {
        "took_traffic_count": kinds.total(),
        "forward_count": kinds[DeployKind.FORWARD],
        "hotfix_count": kinds[DeployKind.HOTFIX],
        "rollback_count": kinds[DeployKind.ROLLBACK],
        "redeploy_count": kinds[DeployKind.REDEPLOY],
        "failed_after_traffic_count": outcomes[Outcome.FAILED],
        "aborted_before_traffic_count": outcomes[Outcome.ABORTED],
        "never_finished_count": outcomes[Outcome.NEVER_FINISHED],
        "running_count": outcomes[Outcome.RUNNING],
    }


def deployment_frequency(known: Knowledge, scope: Scope, zone: ZoneInfo) -> Printed:
    """Deploys per calendar day in the service's life, and the median over whole ISO weeks, empty ones as 0."""
    lived = scope.window
    if scope.service is not None:
        lived = lived.clipped(known.history.services[scope.service].life)
    moments = [facts.counted_at for facts in new_versions_in(known, scope)]
    days = calendar_days(lived, zone)
    whole_weeks = [week.interval for week in weeks_in(lived, zone) if week.is_whole]
    per_week = Counter(index for at in moments for index, week in enumerate(whole_weeks) if week.holds(at))
    return {
        "deploys_count": len(moments),
        "calendar_days": float(days),
        "deploys_per_day": _number(ratio(len(moments), days)),
        "days_with_deploy_count": len({local_date(at, zone) for at in moments}),
        "whole_weeks_count": len(whole_weeks),
        "median_deploys_per_week": _number(quantile([per_week[i] for i in range(len(whole_weeks))], MEDIAN)),
    }


def change_failure(known: Knowledge, scope: Scope) -> Printed:
    """Failed new versions over new versions: a set of deploys, never a count of incidents."""
    versions = {facts.deploy.id: facts for facts in new_versions_in(known, scope)}
    failed = sorted(versions.keys() & known.failures.keys())
    suspected = sorted(versions.keys() & known.suspected_ids)
    young = known.history.as_of - known.history.policy.pending
    pending = [name for name, facts in versions.items() if name not in known.failures and facts.counted_at > young]
    return {
        "deploys_count": len(versions),
        "failed_count": len(failed),
        "suspected_count": len(suspected),
        "pending_count": len(pending),
        **_ratio_with_interval(len(failed), len(versions)),
        "if_suspected_ratio": _number(ratio(len(failed) + len(suspected), len(versions))),
        "failed_deploy_ids": failed,
        "suspected_deploy_ids": suspected,
    }


def change_fault(known: Knowledge, scope: Scope) -> Printed:
    """Failed changes over all changes: deploys of any kind that took traffic, and flag changes."""
    deploys = [facts.deploy.id for facts in deploys_in(known, scope) if facts.live_at is not None]
    flags = [change.id for change in flag_changes_in(known, scope)]
    failed_deploys = sum(name in known.failures for name in deploys)
    failed_flags = sum(("flag", name) in known.caused for name in flags)
    changes, failed = len(deploys) + len(flags), failed_deploys + failed_flags
    return {
        "changes_count": changes,
        "deploys_count": len(deploys),
        "flag_changes_count": len(flags),
        "failed_count": failed,
        "failed_deploys_count": failed_deploys,
        "failed_flag_changes_count": failed_flags,
        **_ratio_with_interval(failed, changes),
    }


def flag_changes_in(known: Knowledge, scope: Scope) -> list[FlagChange]:
    """Changes of flags in the window: for a service those that list it, for the whole all."""
    return [
        change
        for change in known.history.flag_changes
        if scope.window.holds(change.at) and (scope.service is None or scope.service in change.services)
    ]


def lead_time(known: Knowledge, scope: Scope) -> Printed:
    """From commit to first traffic of a succeeded deploy, per commit, in the window of that traffic."""
    known_lengths: list[int] = []
    unknown = 0
    for committed_at, live_at in known.first_lives_of(scope.service):
        if not scope.window.holds(live_at):
            continue
        if committed_at is None or committed_at > live_at:
            unknown += 1
        else:
            known_lengths.append(microseconds(live_at - committed_at))
    return {
        "commits_count": len(known_lengths),
        "unknown_count": unknown,
        "median_seconds": _seconds(quantile(known_lengths, MEDIAN)),
        "p90_seconds": _seconds(quantile(known_lengths, P90)),
    }


def rework(known: Knowledge, scope: Scope) -> Printed:
    """Hotfixes, rollbacks and remedial redeploys over all deploys that took traffic; flag remedies stand beside."""
    deploys = [facts for facts in deploys_in(known, scope) if facts.live_at is not None]
    remedies, flag_remedies = known.remedy_ids("deploy"), known.remedy_ids("flag")
    unplanned = [
        facts
        for facts in deploys
        if facts.kind in {DeployKind.HOTFIX, DeployKind.ROLLBACK}
        or (facts.kind is DeployKind.REDEPLOY and facts.deploy.id in remedies)
    ]
    return {
        "rework_count": len(unplanned),
        "deploys_count": len(deploys),
        "ratio": _number(ratio(len(unplanned), len(deploys))),
        "remedial_flag_changes_count": sum(change.id in flag_remedies for change in flag_changes_in(known, scope)),
    }


def issues(known: Knowledge, scope: Scope) -> Printed:
    """Incidents begun in the window by class, and each count per deploy; the cause is not established."""
    begun = [case for case in known.incidents_of.get(scope.service, []) if scope.window.holds(case.incident.begin_at)]
    classes = Counter(case.incident.impact_class for case in begun)
    deploys = len(new_versions_in(known, scope))
    counts: Iterable[tuple[str, int]] = [*((name, classes[name]) for name in IMPACT_CLASSES), ("total", len(begun))]
    printed: Printed = {"deploys_count": deploys}
    for name, count in counts:
        printed[f"{name}_count"] = count
        printed[f"{name}_per_deploy_ratio"] = _number(ratio(count, deploys))
    printed["own_change_count"] = sum(case.origin is Origin.OWN_CHANGE for case in begun)
    return printed


def _ratio_with_interval(part: int, whole: int) -> Printed:
    interval = wilson_interval(part, whole)
    return {
        "ratio": _number(ratio(part, whole)),
        "interval_low_ratio": None if interval is None else interval[0],
        "interval_high_ratio": None if interval is None else interval[1],
    }


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _seconds(value: Fraction | None) -> float | None:
    return None if value is None else seconds(value)
