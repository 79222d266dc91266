"""What a report tells beside the contract of the numbers: how incidents were ended, how lead times spread.

Stored with a closed report, so that it reads the same for ever.
"""

from collections import Counter
from datetime import datetime

from deploys.domain.deploy_facts import DeployKind
from deploys.domain.instants import microseconds, seconds
from reliability.domain.dora import Printed, Scope
from reliability.domain.estimates import MEDIAN, quantile
from reliability.domain.history import Incident
from reliability.domain.knowledge import Knowledge

MEANS = ("rollback", "roll_forward", "flag", "none")
HOUR, DAY_SECONDS = 3_600, 86_400
#: Upper ends (exclusive, in seconds) of the classes lead times are counted in; the last class has none.
LEAD_ENDS = (HOUR, 4 * HOUR, DAY_SECONDS, 3 * DAY_SECONDS, 7 * DAY_SECONDS, 28 * DAY_SECONDS)


def means_of(incident: Incident, known: Knowledge) -> str:
    """What ended an incident: its last remedy that took effect before it was restored; the last of all if none did.

    A deploy that is no rollback is a roll forward, whatever it carried. Without a remedy that is known: none.
    """
    found: list[tuple[bool, datetime, str]] = []
    for kind, identity in incident.remedies:
        if kind == "deploy" and identity in known.deploys:
            facts = known.deploys[identity]
            means, at = "rollback" if facts.kind is DeployKind.ROLLBACK else "roll_forward", facts.counted_at
        elif kind == "flag" and ("flag", identity) in known.history.change_starts:
            means, at = "flag", known.history.change_starts["flag", identity]
        else:
            continue
        found.append((incident.restored_at is None or at <= incident.restored_at, at, means))
    return max(found)[2] if found else "none"


def recoveries_by_means(known: Knowledge, scope: Scope) -> Printed:
    """Incidents restored in the window by what ended them: count and median time from beginning to restoration.

    The same incidents as `time_to_restore.all.completed_count`.
    """
    lengths: dict[str, list[int]] = {means: [] for means in MEANS}
    for case in known.incidents_of.get(scope.service, []):
        restored_at = case.incident.restored_at
        if restored_at is not None and scope.window.holds(restored_at):
            lengths[means_of(case.incident, known)].append(microseconds(restored_at - case.incident.begin_at))
    printed: Printed = {}
    for means, some in lengths.items():
        median = quantile(some, MEDIAN)
        printed[means] = {"count": len(some), "median_seconds": None if median is None else seconds(median)}
    return printed


def lead_time_classes(known: Knowledge, scope: Scope) -> list[int]:
    """How many commits of the window had a lead time in each class: below LEAD_ENDS[0], up to the last without end.

    The same commits as `lead_time.commits_count`.
    """
    counts = Counter(
        sum(seconds(microseconds(live_at - committed_at)) >= end for end in LEAD_ENDS)
        for committed_at, live_at in known.first_lives_of(scope.service)
        if scope.window.holds(live_at) and committed_at is not None and committed_at <= live_at
    )
    return [counts[place] for place in range(len(LEAD_ENDS) + 1)]


def beside(known: Knowledge, scope: Scope) -> Printed:
    """All of it, as it is stored."""
    return {"recoveries": recoveries_by_means(known, scope), "lead_time_counts": lead_time_classes(known, scope)}
