"""The rows behind the numbers of a window: which deploys, incidents, commits and flag changes were counted, and as what.

Stored with a closed report, so that a number leads to the rows it was made of for ever. Every list has the rows of the whole;
names are ids, times are UTC, what is not known is null.
"""

from fractions import Fraction

from deploys.domain.deploy_facts import DeployFacts, Outcome
from deploys.domain.instants import instant_text, microseconds, seconds
from reliability.domain.beside import beside, means_of
from reliability.domain.causes import JudgedIncident, Share
from reliability.domain.dora import Printed, Scope, deploys_in, flag_changes_in
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge


def rows(known: Knowledge, scope: Scope) -> Printed:
    """All of them, as they are stored."""
    return {
        "deploys": deploy_rows(known, scope),
        "recoveries": recovery_rows(known, scope),
        "incidents": incident_rows(known, scope),
        "commits": commit_rows(known, scope),
        "flag_changes": flag_change_rows(known, scope),
    }


def deploy_rows(known: Knowledge, scope: Scope) -> list[Printed]:
    """Deploys that belong to the window, oldest first.

    verdict is failed, suspected, pending or empty; why tells by which rule: `incident` and `suggested` name incidents,
    `undone` and `carried` the rollback, `withdrawn` nothing.
    """
    found = sorted(deploys_in(known, scope), key=lambda facts: (facts.counted_at, facts.deploy.id))
    young = known.history.as_of - known.history.policy.pending
    remedies = known.remedy_ids("deploy")
    suggested, carried = _suggestions(known), _carried(known)
    printed: list[Printed] = []
    for facts in found:
        name = facts.deploy.id
        verdict, why = "", list[Printed]()
        if name in known.failures:
            verdict, why = "failed", _why_failed(known, facts)
        elif name in known.suspected_ids:
            why = [{"rule": "suggested", "id": each} for each in suggested.get(name, [])]
            why += [{"rule": "carried", "id": each} for each in carried.get(name, [])]
            verdict = "suspected"
        elif facts.is_new_version and facts.counted_at > young:
            verdict = "pending"
        printed.append({
            "id": name, "service": facts.deploy.service, "release": facts.deploy.release, "at": instant_text(facts.counted_at),
            "kind": None if facts.kind is None else str(facts.kind), "outcome": str(facts.outcome), "took_traffic": facts.live_at is not None,
            "is_counted": facts.is_new_version, "is_remedy": name in remedies, "verdict": verdict, "why": why,
        })  # fmt: skip
    return printed


def _why_failed(known: Knowledge, facts: DeployFacts) -> list[Printed]:
    """By the first rule that applies, as the recovery is counted."""
    incidents = known.caused.get(("deploy", facts.deploy.id), [])
    if incidents:
        return [{"rule": "incident", "id": incident.id} for incident in incidents]
    if facts.outcome is Outcome.FAILED:
        return [{"rule": "withdrawn", "id": None}]
    return [{"rule": "undone", "id": known.condemned[facts.deploy.id].deploy.id}]


def _suggestions(known: Knowledge) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for case in known.incidents:
        for cause in case.suggested if case.is_counting else ():
            if cause.kind == "deploy" and cause.id is not None:
                found.setdefault(cause.id, []).append(case.incident.id)
    return found


def _carried(known: Knowledge) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for back, undone in known.rollbacks:
        for name in undone[1:]:
            found.setdefault(name, []).append(back.deploy.id)
    return found


def recovery_rows(known: Knowledge, scope: Scope) -> list[Printed]:
    """Failed new versions that recovered in the window or had not by its end, in order of their live time.

    seconds is null where the clocks contradict each other or nobody stated the end.
    """
    end = scope.window.end
    printed: list[Printed] = []
    for failure in sorted(known.failures.values(), key=lambda each: (each.live_at, each.facts.deploy.id)):
        if not failure.facts.is_new_version or scope.service not in (None, failure.facts.deploy.service):
            continue
        at = failure.recovered_at
        is_open = not failure.is_end_unknown and failure.begun_at < end and (at is None or at >= end)
        is_inside = (
            scope.window.holds(failure.live_at) if failure.is_end_unknown else at is not None and scope.window.holds(at)
        )
        if not is_open and not is_inside:
            continue
        until = end if is_open else at
        length = None if until is None or until < failure.live_at else seconds(microseconds(until - failure.live_at))
        printed.append({
            "id": failure.facts.deploy.id, "service": failure.facts.deploy.service, "release": failure.facts.deploy.release,
            "live_at": instant_text(failure.live_at), "recovered_at": None if is_open or at is None else instant_text(at),
            "seconds": length, "is_open": is_open,
        })  # fmt: skip
    return printed


def incident_rows(known: Knowledge, scope: Scope) -> list[Printed]:
    """Incidents that begin or end in the window, or go on in it, in order of their beginning.

    lost_seconds is its part of the downtime, by_cause how that divides; begins, ends: whether it does so in the window.
    """
    lost = _lost(known, scope)
    printed: list[Printed] = []
    for case in known.incidents_of.get(scope.service, []):
        incident, window = case.incident, scope.window
        ends = incident.restored_at is not None and window.holds(incident.restored_at)
        life = Interval(incident.begin_at, incident.restored_at or max(known.history.as_of, window.end))
        part = lost.get(incident.id, Fraction(0))
        if not part and not ends and not window.holds(incident.begin_at) and not _meet(life, window):
            continue
        printed.append({
            "id": incident.id, "services": list(incident.services), "class": incident.impact_class,
            "begin_at": instant_text(incident.begin_at), "is_start_stated": incident.is_start_stated,
            "restored_at": None if incident.restored_at is None or incident.restored_at >= window.end else instant_text(incident.restored_at),
            "begins": window.holds(incident.begin_at), "ends": ends, "origin": str(case.origin), "is_counting": case.is_counting,
            "lost_seconds": seconds(part), "by_cause": _divided(case, part), "means": means_of(incident, known) if ends else None,
            "seconds": seconds(microseconds((incident.restored_at if ends and incident.restored_at else window.end) - incident.begin_at)),
        })  # fmt: skip
    return printed


def _meet(one: Interval, other: Interval) -> bool:
    return one.start < other.end and one.end > other.start


def _lost(known: Knowledge, scope: Scope) -> dict[str, Fraction]:
    """Microseconds of downtime by incident: each moment divided equally among the worst of it."""
    found: dict[str, Fraction] = {}
    for owners, lost in known.timeline(scope.service).measure(scope.window).by_owners.items():
        for owner in owners:
            found[owner] = found.get(owner, Fraction(0)) + lost / len(owners)
    return found


def _divided(case: JudgedIncident, part: Fraction) -> Printed:
    return {str(share): seconds(part * case.shares[share]) for share in Share if part and case.shares[share]}


def commit_rows(known: Knowledge, scope: Scope) -> list[Printed]:
    """Commits first delivered in the window, in order of that; seconds is null where the clocks say nothing."""
    found = [each for each in known.first_deliveries_of(scope.service) if scope.window.holds(each[1])]
    printed: list[Printed] = []
    for commit, live_at in sorted(found, key=lambda each: (each[1], each[0].sha)):
        at = commit.committed_at
        length = None if at is None or at > live_at else seconds(microseconds(live_at - at))
        printed.append({
            "sha": commit.sha, "committed_at": None if at is None else instant_text(at), "live_at": instant_text(live_at), "seconds": length,
        })  # fmt: skip
    return printed


def flag_change_rows(known: Knowledge, scope: Scope) -> list[Printed]:
    """Changes of flags in the window, oldest first."""
    found = sorted(flag_changes_in(known, scope), key=lambda change: (change.at, change.id))
    return [
        {
            "id": change.id, "key": change.key, "at": instant_text(change.at), "new_percent": change.new_percent,
            "is_failed": ("flag", change.id) in known.caused,
        }
        for change in found
    ]  # fmt: skip


def kept(known: Knowledge, scope: Scope) -> Printed:
    """What is stored with a closed report beside the contract of its numbers."""
    return {**beside(known, scope), "rows": rows(known, scope)}
