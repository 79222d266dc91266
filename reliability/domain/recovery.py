"""How long it took: recovery of failed deploys, time to restore, and the phases of an incident.

Durations that still run are right-censored: they stand at their age at the end of the elapsed window, and a quantile
that would change if they lasted for ever is a lower bound.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from deploys.domain.instants import microseconds, seconds
from reliability.domain.causes import JudgedIncident, Origin
from reliability.domain.dora import Printed, Scope
from reliability.domain.estimates import MEDIAN, P90, censored_quantile, quantile
from reliability.domain.history import IMPACT_CLASSES, Incident
from reliability.domain.knowledge import Knowledge


@dataclass(slots=True)
class Durations:
    """Microseconds, completed in a window or running at its end; unknown where the clocks contradict each other."""

    completed: list[int] = field(default_factory=list)
    running: list[int] = field(default_factory=list)
    unknown: int = 0

    def add(self, length: int, *, is_running: bool) -> None:
        """A negative length is unknown, never 0."""
        if length < 0:
            self.unknown += 1
        else:
            (self.running if is_running else self.completed).append(length)

    def printed(self) -> Printed:
        """Counts, median and 90th percentile in seconds."""
        median = censored_quantile(self.completed, self.running, MEDIAN)
        p90 = censored_quantile(self.completed, self.running, P90)
        return {
            "completed_count": len(self.completed),
            "open_count": len(self.running),
            "unknown_count": self.unknown,
            "median_seconds": None if median.value is None else seconds(median.value),
            "median_is_lower_bound": median.is_lower_bound,
            "p90_seconds": None if p90.value is None else seconds(p90.value),
            "p90_is_lower_bound": p90.is_lower_bound,
        }


def failed_deployment_recovery(known: Knowledge, scope: Scope) -> Durations:
    """From first traffic to recovery, of failed new versions whenever they went live.

    Completed ones belong to the window of their recovery. Open at the window's end is what had begun to fail before
    it and was not recovered before it. A failure whose end nobody stated is unknown, in the window of its live time.
    """
    durations = Durations()
    end = scope.window.end
    for failure in known.failures.values():
        service = failure.facts.deploy.service
        if not failure.facts.is_new_version or (scope.service is not None and service != scope.service):
            continue
        if failure.is_end_unknown:
            durations.unknown += scope.window.holds(failure.live_at)
        elif failure.recovered_at is not None and scope.window.holds(failure.recovered_at):
            durations.add(microseconds(failure.recovered_at - failure.live_at), is_running=False)
        elif failure.begun_at < end and (failure.recovered_at is None or failure.recovered_at >= end):
            durations.add(microseconds(end - failure.live_at), is_running=True)
    return durations


def times_to_restore(cases: Iterable[JudgedIncident], scope: Scope) -> Durations:
    """From the beginning to the restoration, of incidents of any class and cause."""
    durations = Durations()
    for case in cases:
        begin_at, restored_at = case.incident.begin_at, case.incident.restored_at
        if restored_at is not None and scope.window.holds(restored_at):
            durations.add(microseconds(restored_at - begin_at), is_running=False)
        elif begin_at < scope.window.end and (restored_at is None or restored_at >= scope.window.end):
            durations.add(microseconds(scope.window.end - begin_at), is_running=True)
    return durations


def time_to_restore(known: Knowledge, scope: Scope) -> Printed:
    """For all incidents, by impact class and by origin."""
    cases = known.incidents_of.get(scope.service, [])

    classes: dict[str, list[JudgedIncident]] = {name: [] for name in IMPACT_CLASSES}
    origins: dict[str, list[JudgedIncident]] = {str(item): [] for item in Origin}
    for case in cases:
        classes[case.incident.impact_class].append(case)
        origins[str(case.origin)].append(case)
    return {
        "all": times_to_restore(cases, scope).printed(),
        "by_class": {name: times_to_restore(some, scope).printed() for name, some in classes.items()},
        "by_origin": {name: times_to_restore(some, scope).printed() for name, some in origins.items()},
    }


def phases(known: Knowledge, scope: Scope) -> Printed:
    """The stretches between the clocks of incidents restored in the window."""
    restored = [
        case.incident
        for case in known.incidents_of.get(scope.service, [])
        if case.incident.restored_at is not None and scope.window.holds(case.incident.restored_at)
    ]
    return {
        "detection": _phase(restored, lambda i: i.begin_at if i.is_start_stated else None, lambda i: i.detected_at),
        "acknowledgement": _phase(restored, lambda i: i.detected_at, lambda i: i.acknowledged_at),
        "mitigation": _phase(restored, lambda i: i.detected_at, lambda i: i.mitigated_at),
        "restoration": _phase(restored, lambda i: i.mitigated_at, lambda i: i.restored_at),
    }


def _phase(
    incidents: Iterable[Incident],
    first: Callable[[Incident], datetime | None],
    last: Callable[[Incident], datetime | None],
) -> Printed:
    lengths: list[int] = []
    unknown = 0
    for incident in incidents:
        start, end = first(incident), last(incident)
        if start is None or end is None or end < start:
            unknown += 1
        else:
            lengths.append(microseconds(end - start))
    median, p90 = quantile(lengths, MEDIAN), quantile(lengths, P90)
    return {
        "known_count": len(lengths),
        "unknown_count": unknown,
        "median_seconds": None if median is None else seconds(median),
        "p90_seconds": None if p90 is None else seconds(p90),
    }
